import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { timesTransposed } from "../products.ts";
import { blockRows, type Rows } from "../rows.ts";

/**
 * Calls `visit` for each feature h (N×D) of a table with the projection of `h − o` (1×D) on the rows of `directions` (d×D):
 * row `i` of `projected` (n×d). Row `i` of `centred` (n×D) is `h − o` itself.
 */
export async function project(
  features: Rows,
  origin: Matrix,
  directions: Matrix,
  visit: (sample: number, i: number, projected: Float64Array, centred: Float64Array) => void,
): Promise<void> {
  const differences = differencesFrom(origin, features);
  const rowOf = new Int32Array(features.count);
  const buffer = new Float64Array(Math.min(blockRows(features.columns), features.count) * directions.rows);
  for await (const block of differences.blocks()) {
    const { differences: centred } = differences.of(block, rowOf);
    await timesTransposed(centred, directions, buffer);
    for (let i = 0; i < centred.rows; i++) visit(block.start + i, i, buffer, centred.values);
  }
}

/** Returns rows `from` to `to` (exclusive) of a matrix (a view). */
export function rowsOf({ columns, values }: Matrix, from: number, to: number): Matrix {
  return { rows: to - from, columns, values: values.subarray(from * columns, to * columns) };
}

/**
 * Returns how many eigenvalues (n) of a covariance, and of an offset with it, are not zero: those above n ε of the sum of the
 * variances, which rounding may make.
 */
export function rankOf(eigenvalues: Float64Array, covariance: Matrix): number {
  const { rows: size, values } = covariance;
  let trace = 0;
  for (let d = 0; d < size; d++) trace += values[d * size + d];
  return eigenvalues.filter((value) => value > size * Number.EPSILON * trace).length;
}
