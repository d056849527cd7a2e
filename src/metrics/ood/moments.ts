import { classSumsOf } from "../classMeans.ts";
import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { combination, zeros } from "../matrix.ts";
import { transposedTimes } from "../products.ts";
import type { LabelledSet } from "../rows.ts";

/** Moments of a training set that several scores are made of. */
export interface Moments {
  /** Class means μ_c (C×D) and samples n_c per class (C). */
  readonly means: Matrix;
  readonly counts: Float64Array;
  /** Returns `Σ_i (h_i − μ_{y_i})(h_i − μ_{y_i})ᵀ` (D×D), not to be changed: it is taken once, when first asked for. */
  within(): Promise<Matrix>;
}

/**
 * Returns the moments of a set with valid labels.
 * @throws CollapsarError `missing-class`, `non-finite-feature` that name the class or sample.
 */
export async function momentsOf(train: LabelledSet): Promise<Moments> {
  const sums = await classSumsOf(train);
  const means = sums.means();
  let within: Promise<Matrix> | undefined;
  return {
    means,
    counts: sums.counts,
    within() {
      within ??= scatterWithin(train, means);
      return within;
    },
  };
}

async function scatterWithin({ features, labels }: LabelledSet, means: Matrix): Promise<Matrix> {
  const scatter = zeros(means.columns, means.columns);
  const differences = differencesFrom(means, features);
  for await (const block of differences.blocks()) {
    const residuals = differences.of(block, labels).differences;
    addTo(scatter, await transposedTimes(residuals, residuals));
  }
  return scatter;
}

/** Adds `term` to `sum`, of one shape. */
export function addTo(sum: Matrix, term: Matrix): void {
  for (let k = 0; k < sum.values.length; k++) sum.values[k] += term.values[k];
}

/** Returns the mean of all samples, `1/N Σ_c n_c μ_c`, as one row (1×D). */
export function sampleMean({ means, counts }: Moments): Matrix {
  const samples = counts.reduce((sum, count) => sum + count, 0);
  const mean = zeros(1, means.columns);
  for (let k = 0; k < means.values.length; k++)
    mean.values[k % means.columns] += (counts[Math.floor(k / means.columns)] / samples) * means.values[k];
  return mean;
}

/**
 * Returns `1/N Σ_i (h_i − o)(h_i − o)ᵀ` (D×D) about an origin o (1×D): that within classes and
 * `1/N Σ_c n_c (μ_c − o)(μ_c − o)ᵀ`, a sum that loses no digits.
 */
export async function secondMoment(moments: Moments, origin: Matrix): Promise<Matrix> {
  const { means, counts } = moments;
  const samples = counts.reduce((sum, count) => sum + count, 0);
  const weighted = means.values.map(
    (mean, k) => Math.sqrt(counts[Math.floor(k / means.columns)]) * (mean - origin.values[k % means.columns]),
  );
  const between = await transposedTimes({ ...means, values: weighted }, { ...means, values: weighted });
  return combination([1 / samples, await moments.within()], [1 / samples, between]);
}
