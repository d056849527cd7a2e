import type { Tensor } from "../checkpoints/checkpoint.ts";
import { readSafetensors } from "../checkpoints/safetensors.ts";
import { asCollapsarError, CollapsarError } from "../errors.ts";
import type { Dataset } from "./dataset.ts";
import { inMemory } from "./inMemory.ts";

const MAX_LABEL = 2 ** 31 - 1;

/**
 * Returns the dataset of a safetensors file: `images`, N×H×W×C uint8 pixels or N×C×H×W floats taken as already
 * normalised, and `labels`, N integers from 0, which may be absent.
 * @throws CollapsarError `malformed-dataset` that names `source`, the tensor and what was expected; `invalid-label`.
 */
export function readTensorFile(name: string, bytes: Uint8Array, source: string): Dataset {
  const tensors = readTensors(bytes, source);
  const images = tensors.get("images");
  if (!images) throw malformed(source, 'there is no tensor "images"');
  const arrays = readImages(images, source);
  const labels = tensors.get("labels");
  return inMemory(name, { ...arrays, labels: labels ? readLabels(labels, arrays.length, source) : null });
}

function readTensors(bytes: Uint8Array, source: string): ReadonlyMap<string, Tensor> {
  try {
    return readSafetensors(bytes).tensors;
  } catch (cause) {
    throw malformed(source, asCollapsarError(cause).message, cause);
  }
}

function readImages({ dtype, shape, data }: Tensor, source: string) {
  const pixels = dtype === "U8" && data instanceof Uint8Array;
  if ((!pixels && !(data instanceof Float32Array)) || shape.length !== 4)
    throw malformed(
      source,
      `tensor "images" is ${dtype} ${shape.join("×")}, expected N×H×W×C uint8 or N×C×H×W float32`,
    );
  if (data.length === 0) throw malformed(source, `tensor "images" (${shape.join("×")}) is empty`);
  const [length, ...sides] = shape as [number, number, number, number];
  if (pixels) return { images: data, length, height: sides[0], width: sides[1], channels: sides[2] };
  const offender = data.findIndex((value) => !Number.isFinite(value));
  if (offender >= 0)
    throw malformed(source, `image ${Math.floor((offender * length) / data.length)} holds ${data[offender]}`);
  return { images: data as Float32Array, length, channels: sides[0], height: sides[1], width: sides[2] };
}

function readLabels({ dtype, shape, data }: Tensor, length: number, source: string): Int32Array {
  const integers = !(data instanceof Float32Array || data instanceof Float64Array) && dtype !== "BOOL";
  if (!integers || shape.length !== 1 || shape[0] !== length)
    throw malformed(source, `tensor "labels" is ${dtype} ${shape.join("×")}, expected ${length} integers`);
  return Int32Array.from(data as Iterable<number | bigint>, (value, image) => {
    if (value < 0 || value > MAX_LABEL)
      throw new CollapsarError("invalid-label", `${source}: label ${value} of image ${image}, expected a class from 0`);
    return Number(value);
  });
}

function malformed(source: string, what: string, cause?: unknown): CollapsarError {
  return new CollapsarError("malformed-dataset", `${source}: ${what}`, { cause });
}
