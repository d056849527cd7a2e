import { readFileSync } from "node:fs";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";

/** Programs whose numbers differ by more than this from ours compute something else: their speed means nothing. */
export const AGREEMENT = 1e-4;

/** Returns the largest difference of features and logits of two files, each relative to the largest magnitude in `file`. */
export function relativeDifference(file: string, other: string): number {
  const [a, b] = [file, other].map((path) => readSafetensors(readFileSync(path)).tensors);
  return Math.max(
    ...["features", "logits"].map((name) => {
      const [ours, theirs] = [a!.get(name)!, b!.get(name)!];
      if (ours.shape.join() !== theirs.shape.join()) return Number.POSITIVE_INFINITY;
      return largestDifference(ours.data as Float32Array, theirs.data as Float32Array);
    }),
  );
}

function largestDifference(ours: Float32Array, theirs: Float32Array): number {
  let [difference, magnitude] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    const distance = Math.abs(ours[i]! - theirs[i]!);
    if (!(distance <= difference)) difference = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    magnitude = Math.max(magnitude, Math.abs(ours[i]!));
  }
  return difference / magnitude;
}
