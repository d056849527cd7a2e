import * as tf from "@tensorflow/tfjs-core";
import { CollapsarError } from "../../errors.ts";
import type { Graph } from "../../networks/graph.ts";

/**
 * Returns images as an N×H×W×C float32 tensor: uint8 pixels (N×H×W×C) normalised as the graph says, floats (N×C×H×W) taken
 * as already normalised.
 * @throws CollapsarError `missing-metadata` where there are pixels and the graph does not say how they are normalised.
 */
export function imagesTensor(graph: Graph, images: Uint8Array | Float32Array): tf.Tensor4D {
  const { channels, height, width } = graph;
  const count = images.length / (channels * height * width);
  if (images instanceof Uint8Array)
    return tf.tensor4d(normalisePixels(images, requireNormalisation(graph)), [count, height, width, channels]);
  return tf.tidy(() => tf.transpose(tf.tensor4d(images, [count, channels, height, width]), [0, 2, 3, 1]));
}

/**
 * Returns mean and standard deviation of the pixels, per channel.
 * @throws CollapsarError `missing-metadata` where the graph has none.
 */
export function requireNormalisation({ normalisation }: Graph): NonNullable<Graph["normalisation"]> {
  if (normalisation) return normalisation;
  throw new CollapsarError(
    "missing-metadata",
    "the checkpoint does not say how its pixels are normalised: give mean and std (per channel, of pixel/255)",
  );
}

function normalisePixels(pixels: Uint8Array, { mean, std }: NonNullable<Graph["normalisation"]>): Float32Array {
  const channels = mean.length;
  const normalised = new Float32Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const scale = 1 / (255 * std[channel]!);
    const shift = -mean[channel]! / std[channel]!;
    for (let i = channel; i < pixels.length; i += channels) normalised[i] = pixels[i]! * scale + shift;
  }
  return normalised;
}

/** Returns a convolution's weights, out×in×k×k as PyTorch has them, as the k×k×in×out tensor TensorFlow takes. */
export function filterTensor(weights: Float32Array, shape: readonly number[]): tf.Tensor4D {
  return tf.tidy(() => tf.transpose(tf.tensor4d(weights, shape as [number, number, number, number]), [2, 3, 1, 0]));
}

/** Returns the weights of a k×k×in×out filter in PyTorch's order, out×in×k×k: the inverse of `filterTensor`. */
export function filterWeights(filter: tf.Tensor): Float32Array {
  return tf.tidy(() => tf.transpose(filter, [3, 2, 0, 1]).dataSync<"float32">());
}
