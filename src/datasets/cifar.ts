import { CollapsarError } from "../errors.ts";
import type { ImageArrays } from "./inMemory.ts";
import type { SourceFile } from "./localFiles.ts";
import { malformed } from "./malformed.ts";

const SIDE = 32;
const PLANE = SIDE * SIDE;
const CHANNELS = 3;

/** How a record starts: CIFAR-10 with the label, CIFAR-100 with the coarse and then the fine label, which is taken. */
export interface CifarLabels {
  readonly labelBytes: 1 | 2;
  readonly classes: number;
}

/**
 * Returns the images of CIFAR's binary version: records of label and 3,072 bytes, the red, green and blue plane of 32×32
 * pixels, row-major.
 * Source: "Binary version" on https://www.cs.toronto.edu/~kriz/cifar.html.
 * @throws CollapsarError `malformed-dataset` where a file is not of whole records, `invalid-label`.
 */
export function decodeCifar(files: readonly SourceFile[], { labelBytes, classes }: CifarLabels): ImageArrays {
  const record = labelBytes + CHANNELS * PLANE;
  for (const { bytes, source } of files)
    if (bytes.length === 0 || bytes.length % record !== 0)
      throw malformed(source, `${bytes.length} bytes, expected a multiple of ${record}, the size of a labelled image`);
  const length = files.reduce((sum, { bytes }) => sum + bytes.length / record, 0);
  const images = new Uint8Array(length * CHANNELS * PLANE);
  const labels = new Int32Array(length);
  let index = 0;
  for (const { bytes, source } of files)
    for (let at = 0; at < bytes.length; at += record, index++) {
      const label = bytes[at + labelBytes - 1]!;
      if (label >= classes)
        throw new CollapsarError(
          "invalid-label",
          `${source}: label ${label} of image ${at / record}, expected a class below ${classes}`,
        );
      labels[index] = label;
      interleavePlanes(bytes.subarray(at + labelBytes, at + record), images.subarray(index * CHANNELS * PLANE));
    }
  return { images, labels, length, height: SIDE, width: SIDE, channels: CHANNELS };
}

/** Writes the pixels of planes (C×H×W) to `to` (H×W×C). */
function interleavePlanes(planes: Uint8Array, to: Uint8Array): void {
  for (let pixel = 0; pixel < PLANE; pixel++)
    for (let channel = 0; channel < CHANNELS; channel++)
      to[pixel * CHANNELS + channel] = planes[channel * PLANE + pixel]!;
}
