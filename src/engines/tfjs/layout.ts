import * as tf from "@tensorflow/tfjs-core";
import type { Signature } from "../../networks/graph.ts";
import type { ImageInput } from "../engine.ts";
import { pixelAffine } from "../pixels.ts";

/**
 * Returns images as an N×H×W×C float32 tensor: uint8 pixels (N×H×W×C) normalised as the network says, floats (N×C×H×W)
 * taken as already normalised.
 * @throws CollapsarError `missing-metadata` where there are pixels and nothing says how they are normalised.
 */
export function imagesTensor(
  signature: Signature,
  { height, width }: Pick<ImageInput, "height" | "width">,
  images: Uint8Array | Float32Array,
): tf.Tensor4D {
  const { channels } = signature;
  const count = images.length / (channels * height * width);
  return tf.tensor4d(imageMaps(signature, images, height * width), [count, height, width, channels]);
}

/**
 * Returns the numbers of `imagesTensor`; `area` is height times width.
 * @throws CollapsarError as `imagesTensor`.
 */
export function imageMaps(signature: Signature, images: Uint8Array | Float32Array, area: number): Float32Array {
  if (images instanceof Uint8Array) return normalisePixels(images, pixelAffine(signature));
  return channelsLast(images, signature.channels, area);
}

/** Returns N×C×A numbers as N×A×C. */
function channelsLast(images: Float32Array, channels: number, area: number): Float32Array {
  if (channels === 1) return images;
  const maps = new Float32Array(images.length);
  let from = 0;
  for (let image = 0; image < images.length; image += channels * area)
    for (let channel = 0; channel < channels; channel++)
      for (let at = 0; at < area; at++) maps[image + at * channels + channel] = images[from++]!;
  return maps;
}

function normalisePixels(pixels: Uint8Array, { factor, shift }: ReturnType<typeof pixelAffine>): Float32Array {
  const channels = factor.length;
  const normalised = new Float32Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const [scale, offset] = [factor[channel]!, shift[channel]!];
    for (let i = channel; i < pixels.length; i += channels) normalised[i] = pixels[i]! * scale + offset;
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
