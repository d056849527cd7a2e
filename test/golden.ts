import { readFileSync } from "node:fs";
import type { Checkpoint } from "../src/checkpoints/checkpoint.ts";
import { readSafetensors } from "../src/checkpoints/safetensors.ts";

/** Folder of the golden data: inputs and expected values made by independent float64 code. */
export const GOLDEN = new URL("./fixtures/golden/", import.meta.url);

/** Returns the tensors of `<name>.safetensors` of the golden data. */
export function golden(name: string): Checkpoint {
  return readSafetensors(readFileSync(new URL(`${name}.safetensors`, GOLDEN)));
}

/** Returns the float tensor of that name. */
export function floats(file: Checkpoint, name: string): Float32Array {
  return file.tensors.get(name)!.data as Float32Array;
}

/** Returns max|a−b| / max|b|. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    // a NaN must not pass as small: comparisons with it are false
    const distance = Math.abs(actual[i]! - expected[i]!);
    if (!(distance <= difference)) difference = distance;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference / largest;
}
