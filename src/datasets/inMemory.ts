import { createHash } from "node:crypto";
import type { Dataset } from "./dataset.ts";

/** The numbers of a dataset: uint8 images are N×H×W×C pixels, float32 ones N×C×H×W and already normalised. */
export interface ImageArrays {
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array | null;
  readonly length: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Returns the dataset of images that are in memory. */
export function inMemory(name: string, { images, labels, length, height, width, channels }: ImageArrays): Dataset {
  const kind = images instanceof Uint8Array ? "pixels" : "normalised";
  const shape = { length, height, width, channels };
  const size = height * width * channels;
  return {
    name,
    digest: digestOf({ kind, ...shape, labelled: labels !== null }, labels ? [images, labels] : [images]),
    ...shape,
    kind,
    labels,
    read: async (start, end) => images.subarray(start * size, end * size),
  };
}

/** Returns the sha256 (hex) of a description and arrays, the same on every machine of one byte order. */
function digestOf(description: object, arrays: readonly (Uint8Array | Float32Array | Int32Array)[]): string {
  const hash = createHash("sha256").update(JSON.stringify(description));
  for (const array of arrays) hash.update(array);
  return hash.digest("hex");
}
