import type { ImageArrays } from "./inMemory.ts";
import type { SourceFile } from "./localFiles.ts";
import { malformed } from "./malformed.ts";

/** An array of unsigned bytes with its shape, row-major. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Returns the array of an IDX file: two zero bytes, the element type (only unsigned bytes are read), the number of
 * dimensions, each dimension as a big-endian 32-bit number, the elements.
 * Source: the description of the format on the MNIST page, http://yann.lecun.com/exdb/mnist.
 * @throws CollapsarError `malformed-dataset` that names `source` and what was expected.
 */
export function readIdx(bytes: Uint8Array, dimensions: number, source: string): IdxArray {
  const headerBytes = 4 + 4 * dimensions;
  if (bytes.length < headerBytes)
    throw malformed(source, `truncated: ${bytes.length} bytes, its header alone needs ${headerBytes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = (UNSIGNED_BYTE << 8) | dimensions;
  if (view.getUint32(0) !== magic)
    throw malformed(source, `not an IDX file: it starts with ${hex(view.getUint32(0))}, expected ${hex(magic)}`);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const expected = shape.reduce((product, length) => product * length, 1);
  const data = bytes.subarray(headerBytes);
  if (data.length !== expected)
    throw malformed(source, `${data.length} bytes of data, expected ${expected} for ${shape.join("×")}`);
  if (expected === 0) throw malformed(source, "it is empty");
  return { shape, data };
}

/**
 * Returns the images of a pair of IDX files: N×H×W pixels, and N labels.
 * @throws CollapsarError as `readIdx`, and where the pair does not fit.
 */
export function decodeIdxPair([imageFile, labelFile]: readonly SourceFile[]): ImageArrays {
  const images = readIdx(imageFile!.bytes, 3, imageFile!.source);
  const labels = readIdx(labelFile!.bytes, 1, labelFile!.source);
  const [length, height, width] = images.shape as [number, number, number];
  if (labels.data.length !== length)
    throw malformed(labelFile!.source, `${labels.data.length} labels for ${length} images`);
  return { images: images.data, labels: Int32Array.from(labels.data), length, height, width, channels: 1 };
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(8, "0")}`;
}
