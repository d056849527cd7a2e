import { inverseOfLower } from "../cholesky.ts";
import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { timesTransposed } from "../products.ts";
import { blockRows, type FeatureSet } from "../rows.ts";

/** Calls `visit` for every feature of a set with its squared Mahalanobis distances to the class means (C). */
export type Distances = (visit: (sample: number, distances: Float64Array) => void, set: FeatureSet) => Promise<void>;

/**
 * The rows of an inverse factor are cut into bands, for a band of rows has only zeros beyond its last row's diagonal: with four,
 * 62 % of the products are left. Narrower ones than these do not fill the cores.
 */
const BANDS = 4;
const LEAST_BAND = 64;

/** Rows `start` to `end` (exclusive) of a lower triangular matrix, of which only the columns before `end` are kept. */
interface Band {
  readonly start: number;
  readonly end: number;
  readonly rows: Matrix;
}

/**
 * Returns what gives, for every feature h of a set, `(h−μ_c)ᵀ Σ_c⁻¹ (h−μ_c)` for each class mean (C×D), from the Cholesky
 * factors of the Σ_c: one for each class, or one for all. With L the factor it is `‖L⁻¹(h−μ_G) − L⁻¹(μ_c−μ_G)‖²`.
 */
export async function distancesTo(means: Matrix, factors: readonly Float64Array[]): Promise<Distances> {
  const { rows: classes, columns } = means;
  const origin = meanOfRows(means);
  const centred = { ...means, values: means.values.map((value, k) => value - origin.values[k % columns]) };
  const bands = factors.map((factor) => bandsOf(inverseOfLower(factor, columns), columns));
  const whitened = await Promise.all(
    bands.map((ofFactor) =>
      Promise.all(ofFactor.map(({ end, rows }) => timesTransposed(leadingColumns(centred, end), rows))),
    ),
  );
  const classesOf = (f: number) => (factors.length === 1 ? [...Array(classes).keys()] : [f]);
  return async (visit, { features, count }) => {
    const differences = differencesFrom(origin, features);
    const from = new Int32Array(count);
    const rows = Math.min(blockRows(columns), count);
    const buffer = new Float64Array(rows * columns);
    const distances = new Float64Array(rows * classes);
    for await (const block of differences.blocks()) {
      const size = block.end - block.start;
      distances.fill(0);
      const { differences: points } = differences.of(block, from);
      for (let b = 0; b < bands[0].length; b++) {
        const leading = leadingColumns(points, bands[0][b].end);
        for (let f = 0; f < bands.length; f++) {
          const projected = await timesTransposed(leading, bands[f][b].rows, buffer);
          for (const c of classesOf(f)) addDistances(projected, whitened[f][b], c, distances, classes);
        }
      }
      for (let i = 0; i < size; i++) visit(block.start + i, distances.subarray(i * classes, (i + 1) * classes));
    }
  };
}

function bandsOf(lower: Float64Array, columns: number): Band[] {
  const count = Math.max(1, Math.min(BANDS, Math.floor(columns / LEAST_BAND)));
  return Array.from({ length: count }, (_, b) => {
    const [start, end] = [b, b + 1].map((edge) => Math.round((edge * columns) / count)) as [number, number];
    const rows = { rows: end - start, columns, values: lower.subarray(start * columns, end * columns) };
    return { start, end, rows: leadingColumns(rows, end) };
  });
}

/** Returns the first `width` columns of a matrix. */
function leadingColumns({ rows, columns, values }: Matrix, width: number): Matrix {
  if (width === columns) return { rows, columns, values };
  const leading = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) leading.set(values.subarray(i * columns, i * columns + width), i * width);
  return { rows, columns: width, values: leading };
}

/** Adds the squared distance of each point (n×D) to row `c` of `means` to its distance to class `c`. */
function addDistances(points: Matrix, means: Matrix, c: number, distances: Float64Array, classes: number): void {
  const { rows, columns, values } = points;
  const mean = means.values.subarray(c * columns, (c + 1) * columns);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let d = 0, at = i * columns; d < columns; d++, at++) {
      const difference = values[at] - mean[d];
      sum += difference * difference;
    }
    distances[i * classes + c] += sum;
  }
}

function meanOfRows({ rows, columns, values }: Matrix): Matrix {
  const mean = new Float64Array(columns);
  for (let k = 0; k < values.length; k++) mean[k % columns] += values[k] / rows;
  return { rows: 1, columns, values: mean };
}
