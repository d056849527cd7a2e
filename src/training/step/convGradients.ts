import * as tf from "@tensorflow/tfjs-core";
import type { ConvGeometry, Shape4D } from "./kernels.ts";

/*
 * Both gradients of a convolution written as forward convolutions, because that is the one product that the WASM backend
 * runs fast (XNNPACK, 12 GMAC/s here). Its own Conv2DBackpropInput is a slow loop and Conv2DBackpropFilter is missing.
 */

/**
 * Returns the gradient with respect to the input. Pixel `s·i + r` (0 ≤ r < s) receives `dy[i − t]·w[s·t + r + p]` for every
 * t that names a filter row: the phases r of both axes become s² groups of output channels of one convolution at the
 * gradient's resolution, then take their places. Spreading dy by zeros instead costs 4 times the products for stride 2.
 */
export function convInputGradient(
  gradient: tf.Tensor4D,
  filter: tf.Tensor4D,
  [, height, width, channels]: Shape4D,
  { stride, padding }: ConvGeometry,
): tf.Tensor4D {
  return tf.tidy(() => {
    const phases = phaseFilter(filter, stride, padding);
    const [, rows, columns] = gradient.shape;
    const pads = [
      [0, 0],
      phases.pad(Math.ceil(height / stride), rows),
      phases.pad(Math.ceil(width / stride), columns),
      [0, 0],
    ];
    const interleaved = tf.conv2d(gradient, phases.filter, 1, pads as Pads);
    if (stride === 1) return interleaved;
    const map = tf.depthToSpace(interleaved, stride, "NHWC");
    return tf.slice(map, [0, 0, 0, 0], [-1, height, width, channels]);
  });
}

type Pads = Parameters<typeof tf.conv2d>[3];
