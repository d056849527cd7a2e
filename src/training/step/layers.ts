import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import type { Layer, Operation } from "../../engines/tfjs/operations.ts";
import { layerOf } from "../../engines/tfjs/operations.ts";
import { CollapsarError } from "../../errors.ts";
import type { Node } from "../../networks/graph.ts";
import { INPUT } from "../../networks/graph.ts";
import type { ConvGeometry, TrainingKernels } from "./kernels.ts";

/** Mean and biased variance per channel of the `count` numbers that a batch norm saw. */
export interface BatchStatistics {
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
  readonly count: number;
}

/** An operation of a training step; a batch norm also says what it saw. */
export interface TrainingOperation extends Operation {
  readonly statistics?: BatchStatistics;
}

/** Returns the layer of a node as it runs in training. */
export function trainingLayerOf(node: Node, kernels: TrainingKernels): Layer<TrainingOperation> {
  const { name } = node;
  switch (node.op) {
    case "conv": {
      const forward = (x: Tensor, filter: Tensor) =>
        conv(x as Tensor4D, filter as Tensor4D, node, kernels, node.input !== INPUT);
      return { name, arguments: [node.input, node.weight], apply: forward };
    }
    case "batchNorm": {
      const forward = (x: Tensor, scale: Tensor, offset: Tensor) =>
        batchNorm(x as Tensor4D, scale as Tensor1D, offset as Tensor1D, kernels);
      return { name, arguments: [node.input, `${node.prefix}.weight`, `${node.prefix}.bias`], apply: forward };
    }
    case "maxPool":
      throw new CollapsarError("unsupported-network", `"${name}" is a max-pool, which is not trained here`);
    default:
      return layerOf(node);
  }
}

function conv(
  x: Tensor4D,
  filter: Tensor4D,
  geometry: ConvGeometry,
  kernels: TrainingKernels,
  inputWanted: boolean,
): TrainingOperation {
  const { stride, padding } = geometry;
  return {
    output: tf.conv2d(x, filter, stride, padding, "NHWC", 1, "floor"),
    pullback: (gradient) => [
      inputWanted ? kernels.convInputGradient(gradient as Tensor4D, filter, x.shape, geometry) : null,
      kernels.convFilterGradient(x, gradient as Tensor4D, filter.shape[0], geometry),
    ],
  };
}

function batchNorm(x: Tensor4D, scale: Tensor1D, offset: Tensor1D, kernels: TrainingKernels): TrainingOperation {
  const normed = kernels.batchNorm(x, scale, offset);
  return {
    output: normed.output,
    pullback: (gradient) => kernels.batchNormGradient(gradient as Tensor4D, x, scale, normed),
    statistics: { mean: normed.mean, variance: normed.variance, count: x.size / scale.size },
  };
}
