import { readFileSync } from "node:fs";
import type { Checkpoint } from "../src/checkpoints/checkpoint.ts";
import { readSafetensors } from "../src/checkpoints/safetensors.ts";
import { openLayersModel } from "../src/checkpoints/tfjs/readLayersModel.ts";

/** Written by TensorFlow.js itself, and by its converter from Keras 2 and 3; `test/fixtures/tfjs/make_*` made them. */
export const LAYERS_MODELS = ["sequential", "residual", "quantised", "keras2", "keras3"] as const;
export type LayersModelName = (typeof LAYERS_MODELS)[number];

/** Returns a file of the fixture of that name. */
export function fileOf(name: LayersModelName, path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`./fixtures/tfjs/${name}/${path}`, import.meta.url)));
}

/** Returns the checkpoint of that name. */
export function layersModel(name: LayersModelName): Checkpoint {
  const file = openLayersModel(fileOf(name, "model.json"));
  return file.read(file.paths.map((path) => fileOf(name, path)));
}

/** Returns images (N×C×H×W) and what TensorFlow.js, or Keras, computes of them. */
export function computed(name: LayersModelName) {
  const { tensors } = readSafetensors(fileOf(name, "io.safetensors"));
  const [input, features, logits] = ["input", "features", "logits"].map((key) => tensors.get(key)!);
  const [count, height, width, channels] = input!.shape as [number, number, number, number];
  const pixels = input!.data as Float32Array;
  const images = new Float32Array(pixels.length);
  const area = height * width;
  for (let image = 0; image < count; image++)
    for (let at = 0; at < area; at++)
      for (let channel = 0; channel < channels; channel++)
        images[(image * channels + channel) * area + at] = pixels[(image * area + at) * channels + channel]!;
  return {
    images,
    count,
    height,
    width,
    features: features!.data as Float32Array,
    logits: logits!.data as Float32Array,
  };
}
