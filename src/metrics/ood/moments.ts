import { differencesFrom } from "../differences.ts";
import { classSumsOf } from "../lanes/classSums.ts";
import type { Matrix } from "../matrix.ts";
import { addRow, combination, scaleRow, zeros } from "../matrix.ts";
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
  const product = new Float64Array(scatter.values.length);
  const differences = differencesFrom(means, features);
  for await (const block of differences.blocks()) {
    const residuals = differences.of(block, labels).differences;
    addTo(scatter, await transposedTimes(residuals, residuals, product));
  }
  return scatter;
}

/** Adds `term` to `sum`, of one shape. */
export function addTo(sum: Matrix, term: Matrix): void {
  for (let k = 0; k < sum.values.length; k++) sum.values[k] += term.values[k];
}

/** Returns the mean of all samples, `m = 1/N Σ_c n_c μ_c`, as one row (1×D). */
export function sampleMean({ means, counts }: Moments): Matrix {
  const share = sharesOf(counts);
  const mean = zeros(1, means.columns);
  for (let c = 0; c < means.rows; c++) addRow(mean, 0, share[c], means, c);
  return mean;
}

/**
 * Returns the covariance of all samples, `1/N Σ_i (h_i − m)(h_i − m)ᵀ` (D×D): that within classes and
 * `Σ_c n_c/N (μ_c − m)(μ_c − m)ᵀ`, a sum that loses no digits.
 */
export async function sampleCovariance(moments: Moments): Promise<Matrix> {
  const { means, counts } = moments;
  const share = sharesOf(counts);
  const mean = sampleMean(moments);
  const weighted = zeros(means.rows, means.columns);
  for (let c = 0; c < means.rows; c++) {
    addRow(weighted, c, 1, means, c);
    addRow(weighted, c, -1, mean, 0);
    scaleRow(weighted, c, Math.sqrt(share[c]));
  }
  const between = await transposedTimes(weighted, weighted);
  return combination([1 / counts.reduce((a, b) => a + b), await moments.within()], [1, between]);
}

function sharesOf(counts: Float64Array): Float64Array {
  const samples = counts.reduce((a, b) => a + b);
  return counts.map((count) => count / samples);
}
