import type { Matrix } from "../matrix.ts";

/**
 * `‖a‖² + ‖b‖² − 2 a·b` is taken for `‖a−b‖²` where it is at least this share of `‖a‖² + ‖b‖²`, so that cancellation costs at
 * most two digits; differences are squared otherwise. Measured at D = 2,048 against exact sums: 7e-14 relative at that share,
 * 9e-16 at a half; and at C = 1,000 squaring all differences would take 0.7 s.
 */
const CLOSE = 0.01;

/** Vectors v_c (C×D), their norms (C) and cosines (C×C; those of a zero vector are not read). */
export interface Directions {
  readonly vectors: Matrix;
  readonly norms: Float64Array;
  readonly cosines: Matrix;
}

/**
 * Calls `visit` once for every two vectors, i < j, with `‖v_i − v_j‖²`. `near(i, j)` gives that of two that are near each
 * other, or of which one is zero, from where no digits are lost.
 */
export function forEachDistance(
  { norms, cosines }: Omit<Directions, "vectors">,
  near: (i: number, j: number) => number,
  visit: (square: number, i: number, j: number) => void,
): void {
  const count = norms.length;
  for (let i = 0; i < count; i++)
    for (let j = i + 1; j < count; j++) {
      const both = norms[i] ** 2 + norms[j] ** 2;
      const square = both - 2 * norms[i] * norms[j] * cosines.values[i * count + j];
      // a NaN, of the cosine of a zero vector, is not at least anything
      visit(square >= CLOSE * both ? square : near(i, j), i, j);
    }
}

/**
 * Returns `‖v_i − v_j‖²` of two rows. It is 0 where no coordinate differs by more than `rounding` of itself, so that vectors
 * equal but for the rounding of what made them are at distance 0.
 */
export function squaredDifference(rows: Matrix, rounding: number, i: number, j: number): number {
  if (areEqual(rows, rounding, i, j)) return 0;
  const { columns, values } = rows;
  const from = i * columns;
  const to = j * columns;
  let sum = 0;
  for (let d = 0; d < columns; d++) {
    const difference = values[from + d] - values[to + d];
    sum += difference * difference;
  }
  return sum;
}

function areEqual({ columns, values }: Matrix, rounding: number, i: number, j: number): boolean {
  for (let d = 0; d < columns; d++) {
    const x = values[i * columns + d];
    const y = values[j * columns + d];
    if (Math.abs(x - y) > rounding * Math.max(Math.abs(x), Math.abs(y))) return false;
  }
  return true;
}
