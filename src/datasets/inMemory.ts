import { createHash, type Hash } from "node:crypto";
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
    digest: startDigest(kind, shape, labels)
      .update(images)
      .update(labels ?? NOTHING)
      .digest("hex"),
    ...shape,
    kind,
    labels,
    read: async (start, end) => images.subarray(start * size, end * size),
  };
}

const NOTHING = new Uint8Array();

/**
 * Returns the hash that, once it has been given the bytes of all images and then of the labels (int32), is the digest of
 * the set: the same on every machine of one byte order.
 */
export function startDigest(
  kind: Dataset["kind"],
  { length, height, width, channels }: Pick<Dataset, "length" | "height" | "width" | "channels">,
  labels: Int32Array | null,
): Hash {
  const description = { kind, length, height, width, channels, labelled: labels !== null };
  return createHash("sha256").update(JSON.stringify(description));
}
