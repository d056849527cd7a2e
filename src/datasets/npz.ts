import { unzipSync } from "fflate";
import type { Tensor } from "../checkpoints/checkpoint.ts";
import { CollapsarError } from "../errors.ts";
import { describeImages, labelsOf, requireFinite, requireLabels } from "./imageTensors.ts";
import type { ImageArrays } from "./inMemory.ts";
import { malformed } from "./malformed.ts";
import { readNpy } from "./npy.ts";

const ARRAYS = ["images", "labels"] as const;

const MAX_ENTRIES = 1000;

/** Deflate makes at most 1,032 bytes of one (258 bytes from 2 bits), so an entry that promises more lies. */
const MOST_BYTES_OF_ONE = 1032;

/** Of one array. */
const MAX_ARRAY_BYTES = 2 ** 31;

/**
 * Returns the images of an archive by `numpy.savez` or `savez_compressed`: `images`, uint8 N×H×W×C or N×H×W, or float32
 * N×C×H×W taken as already normalised, and `labels`, N integers from 0, which may be absent. Other arrays are left alone.
 * @throws CollapsarError `malformed-dataset` that names `source`, the array and what was expected; `invalid-label`.
 */
export function decodeNpz(bytes: Uint8Array, source: string): ImageArrays {
  const arrays = readArrays(bytes, source);
  const [images, labels] = ARRAYS.map((name) => arrays.get(name));
  if (!images) throw malformed(source, 'there is no array "images"');
  const { kind, ...shape } = describeImages(images, source);
  if (labels) requireLabels(labels, shape.length, source);
  if (kind === "normalised") requireFinite(images.data as Float32Array, 0, shape.length, source);
  return {
    images: images.data as Uint8Array | Float32Array,
    labels: labels ? labelsOf(labels.data, source) : null,
    ...shape,
  };
}

function readArrays(bytes: Uint8Array, source: string): ReadonlyMap<string, Tensor> {
  const entries = unzip(bytes, source);
  const present = ARRAYS.filter((name) => entries[`${name}.npy`]);
  return new Map(
    present.map((name) => {
      const array = readNpy(entries[`${name}.npy`]!, `${source} (${name})`);
      const addChannel = name === "images" && array.shape.length === 3 && array.dtype === "U8";
      return [name, addChannel ? { ...array, shape: [...array.shape, 1] } : array];
    }),
  );
}

/** `fflate` believes what an entry says of its size, so that is checked first. */
function unzip(bytes: Uint8Array, source: string): Record<string, Uint8Array> {
  let seen = 0;
  const wanted = new Set(ARRAYS.map((name) => `${name}.npy`));
  try {
    return unzipSync(bytes, {
      filter({ name, size, originalSize }) {
        if (++seen > MAX_ENTRIES) throw malformed(source, `more than ${MAX_ENTRIES} entries`);
        if (!wanted.delete(name)) return false;
        if (size > bytes.length || originalSize > Math.min(MOST_BYTES_OF_ONE * (size + 1), MAX_ARRAY_BYTES))
          throw malformed(source, `"${name}" promises ${originalSize} bytes from ${size}`);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof CollapsarError) throw error;
    throw malformed(source, "not a whole NPZ archive", error);
  }
}
