import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { layerOf } from "../../../engines/tfjs/operations.ts";
import { CollapsarError } from "../../../errors.ts";
import { BATCH_NORM_MOMENTUM, INPUT, type Node } from "../../../networks/graph.ts";
import type { TrainingLayer, TrainingOperation } from "../differentiate.ts";
import { batchNorm, batchNormGradient } from "./batchNorm.ts";
import { type ConvGeometry, convFilterGradient, convInputGradient } from "./convGradients.ts";
import { spectralNorm } from "./spectralNorm.ts";

/**
 * Returns a node as it runs in training, one layer after the other.
 * @throws CollapsarError `unsupported-network` for a max-pool.
 */
export function trainingLayersOf(node: Node): TrainingLayer<Tensor>[] {
  const { name } = node;
  switch (node.op) {
    case "conv":
      return convLayers(node);
    case "batchNorm": {
      const parameters = ["weight", "bias", "running_mean", "running_var"].map((suffix) => `${node.prefix}.${suffix}`);
      const apply = (...values: Tensor[]) => norm(node.prefix, values);
      return [{ name, arguments: [node.input, ...parameters], apply }];
    }
    case "maxPool":
      throw new CollapsarError("unsupported-network", `"${name}" is a max-pool, which is not trained here`);
    default:
      return [layerOf(node)];
  }
}

function convLayers(node: Extract<Node, { op: "conv" }>): TrainingLayer<Tensor>[] {
  const { name, input, weight } = node;
  const layer: TrainingLayer<Tensor> = {
    name,
    arguments: [input, weight],
    apply: (x, filter) => conv(x as Tensor4D, filter as Tensor4D, node, input !== INPUT),
  };
  if (!node.spectralNorm) return [layer];
  const parameters = ["orig", "u", "v"].map((suffix) => `${weight}_${suffix}`);
  const apply = (...values: Tensor[]) => spectralNorm(node, values);
  return [{ name: weight, arguments: parameters, apply }, layer];
}

function conv(x: Tensor4D, filter: Tensor4D, geometry: ConvGeometry, inputWanted: boolean): TrainingOperation<Tensor> {
  const { stride, padding } = geometry;
  return {
    output: tf.conv2d(x, filter, stride, padding, "NHWC", 1, "floor"),
    pullback: (gradient) => [
      inputWanted ? convInputGradient(gradient as Tensor4D, filter, x.shape, geometry) : null,
      convFilterGradient(x, gradient as Tensor4D, filter.shape[0], geometry),
    ],
  };
}

function norm(prefix: string, values: readonly Tensor[]): TrainingOperation<Tensor> {
  const [x, scale, offset, mean, variance] = values as [Tensor4D, Tensor1D, Tensor1D, Tensor1D, Tensor1D];
  const normed = batchNorm(x, scale, offset);
  const count = x.size / scale.size;
  const towards = (running: Tensor, batch: Tensor, weight: number) =>
    tf.tidy(() => tf.add(tf.mul(running, 1 - BATCH_NORM_MOMENTUM), tf.mul(batch, weight)));
  return {
    output: normed.output,
    pullback: (gradient) => batchNormGradient(gradient as Tensor4D, x, scale, normed),
    buffers: {
      [`${prefix}.running_mean`]: towards(mean, normed.mean, BATCH_NORM_MOMENTUM),
      [`${prefix}.running_var`]: towards(variance, normed.variance, (BATCH_NORM_MOMENTUM * count) / (count - 1)),
    },
  };
}
