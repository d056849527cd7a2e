import type { DType, Tensor } from "../checkpoints/checkpoint.ts";
import { CollapsarError } from "../errors.ts";
import { malformed } from "./malformed.ts";

const MAX_LABEL = 2 ** 31 - 1;

/** What a tensor says of itself before its numbers are read. */
export interface TensorHeading {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * Returns kind and geometry of the tensor `images`: N×H×W×C uint8 pixels or N×C×H×W float32, taken as already normalised.
 * @throws CollapsarError `malformed-dataset` where it is neither, or empty.
 */
export function describeImages({ dtype, shape }: TensorHeading, source: string) {
  const pixels = dtype === "U8";
  if ((!pixels && dtype !== "F32") || shape.length !== 4)
    throw malformed(
      source,
      `tensor "images" is ${dtype} ${shape.join("×")}, expected N×H×W×C uint8 or N×C×H×W float32`,
    );
  if (shape.includes(0)) throw malformed(source, `tensor "images" (${shape.join("×")}) is empty`);
  const [length, ...sides] = shape as [number, number, number, number];
  return pixels
    ? { kind: "pixels" as const, length, height: sides[0], width: sides[1], channels: sides[2] }
    : { kind: "normalised" as const, length, height: sides[1], width: sides[2], channels: sides[0] };
}

/**
 * Returns nothing where a tensor with this heading can be the labels of `length` images.
 * @throws CollapsarError `malformed-dataset` where it is not of that many integers.
 */
export function requireLabels({ dtype, shape }: TensorHeading, length: number, source: string): void {
  const integers = ["I64", "I32", "I16", "I8", "U8"].includes(dtype);
  if (!integers || shape.length !== 1 || shape[0] !== length)
    throw malformed(source, `tensor "labels" is ${dtype} ${shape.join("×")}, expected ${length} integers`);
}

/** Returns the numbers of the tensor `labels`. @throws CollapsarError `invalid-label` that names the image. */
export function labelsOf(numbers: Tensor["data"], source: string): Int32Array {
  return Int32Array.from(numbers as ArrayLike<number | bigint>, (value, image) => {
    if (value < 0 || value > MAX_LABEL)
      throw new CollapsarError("invalid-label", `${source}: label ${value} of image ${image}, expected a class from 0`);
    return Number(value);
  });
}

/**
 * Returns `values`, images `start` to `end` (exclusive), as they are.
 * @throws CollapsarError `malformed-dataset` that names the first image that is not finite.
 */
export function requireFinite(values: Float32Array, start: number, end: number, source: string): Float32Array {
  const offender = values.findIndex((value) => !Number.isFinite(value));
  if (offender < 0) return values;
  const image = start + Math.floor((offender * (end - start)) / values.length);
  throw malformed(source, `image ${image} holds ${values[offender]}`);
}
