import * as tf from "@tensorflow/tfjs-core";
import type { Node } from "../../../networks/graph.ts";
import { SMALLEST_NORM } from "../../spectralNorm.ts";
import type { TrainingOperation } from "../differentiate.ts";
import { convFilterGradient, convInputGradient } from "./convGradients.ts";

/**
 * Returns the filter a convolution works with, `W/f`, of the stored W and the vectors u and v after one more step of the
 * power iteration; see `withSpectralNorm`.
 */
export function spectralNorm(
  { weight: name, stride, padding, spectralNorm: norm }: Extract<Node, { op: "conv" }>,
  values: readonly tf.Tensor[],
): TrainingOperation<tf.Tensor> {
  const [weight, u] = values as [tf.Tensor4D, tf.Tensor1D];
  const { coeff, added, ...shapes } = norm!;
  const [inputs, side] = shapes.v;
  const geometry = { stride, padding };
  const before = tf.transpose(tf.reshape(u, [1, ...shapes.u]), [0, 2, 3, 1]) as tf.Tensor4D;
  const v = unit(convInputGradient(before, weight, [1, side, side, inputs], geometry));
  const response = tf.conv2d(v, weight, stride, padding, "NHWC", 1, "floor");
  const next = unit(response);
  const sigma = tf.sum(tf.mul(next, response));
  const norms = sigma.dataSync<"float32">()[0]! / coeff;
  const factor = Math.max(1, norms) + added;
  return {
    output: tf.div(weight, factor),
    pullback(gradient) {
      const direct = tf.div(gradient, factor);
      if (norms < 1) return [direct];
      const slope = tf.div(tf.sum(tf.mul(gradient, weight)), -coeff * factor * factor);
      return [tf.add(direct, tf.mul(convFilterGradient(v, next, weight.shape[0], geometry), slope))];
    },
    buffers: { [`${name}_u`]: flat(next), [`${name}_v`]: flat(v), [`${name}_sigma`]: tf.reshape(sigma, [1]) },
  };
}

function unit(map: tf.Tensor4D): tf.Tensor4D {
  return tf.div(map, tf.maximum(tf.norm(map), SMALLEST_NORM));
}

/** In PyTorch's order, channels first. */
function flat(map: tf.Tensor4D): tf.Tensor {
  return tf.reshape(tf.transpose(map, [0, 3, 1, 2]), [map.size]);
}
