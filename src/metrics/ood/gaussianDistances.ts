import { inverseOfLower } from "../cholesky.ts";
import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { timesTransposed } from "../products.ts";
import { blockRows, type FeatureSet } from "../rows.ts";

/** Writes to `distances` (n×C) the squared Mahalanobis distances of a block's features to every class mean. */
export type Distances = (visit: (sample: number, distances: Float64Array) => void, set: FeatureSet) => Promise<void>;

/**
 * Returns what gives, for every feature h of a set, `(h−μ_c)ᵀ Σ_c⁻¹ (h−μ_c)` for each class mean (C×D), from the Cholesky
 * factors of the Σ_c: one for each class, or one for all. With L the factor it is `‖L⁻¹(h−μ_G) − L⁻¹(μ_c−μ_G)‖²`.
 */
export async function distancesTo(means: Matrix, factors: readonly Float64Array[]): Promise<Distances> {
  const { rows: classes, columns } = means;
  const origin = meanOfRows(means);
  const centred = {
    ...means,
    values: means.values.map((value, k) => value - origin.values[k % columns]),
  };
  const inverses = factors.map((factor) => ({ rows: columns, columns, values: inverseOfLower(factor, columns) }));
  const whitened = await Promise.all(inverses.map((inverse) => timesTransposed(centred, inverse)));
  return async (visit, { features, count }) => {
    const from = new Int32Array(count);
    const differences = differencesFrom(origin, features);
    const rows = Math.min(blockRows(columns), count);
    const buffer = new Float64Array(rows * columns);
    const distances = new Float64Array(rows * classes);
    for await (const block of differences.blocks()) {
      const size = block.end - block.start;
      const { differences: centredFeatures } = differences.of(block, from);
      for (let f = 0; f < inverses.length; f++) {
        const { values } = await timesTransposed(centredFeatures, inverses[f], buffer);
        const first = inverses.length === 1 ? 0 : f;
        const last = inverses.length === 1 ? classes - 1 : f;
        for (let c = first; c <= last; c++)
          addDistances(
            values,
            whitened[f].values.subarray(c * columns, (c + 1) * columns),
            size,
            distances,
            c,
            classes,
          );
      }
      for (let i = 0; i < size; i++) visit(block.start + i, distances.subarray(i * classes, (i + 1) * classes));
    }
  };
}

function addDistances(
  points: Float64Array,
  mean: Float64Array,
  size: number,
  distances: Float64Array,
  c: number,
  classes: number,
): void {
  const columns = mean.length;
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let d = 0, at = i * columns; d < columns; d++, at++) {
      const difference = points[at] - mean[d];
      sum += difference * difference;
    }
    distances[i * classes + c] = sum;
  }
}

function meanOfRows({ rows, columns, values }: Matrix): Matrix {
  const mean = new Float64Array(columns);
  for (let k = 0; k < values.length; k++) mean[k % columns] += values[k] / rows;
  return { rows: 1, columns, values: mean };
}
