import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { combination, zeros } from "../matrix.ts";
import { timesTransposed } from "../products.ts";
import { blockRows, type FeatureSet } from "../rows.ts";
import { whiteningOf } from "./covariance.ts";
import { sampleMean } from "./moments.ts";
import { squaredNorm } from "./norms.ts";
import type { FitScore } from "./scores.ts";

/**
 * Fits `mahalanobis` (Lee et al. 2018): `min_c (h−μ_c)ᵀ Σ_W⁻¹ (h−μ_c)`, with the covariance Σ_W that the classes share, 1/N.
 * @throws CollapsarError `zero-denominator` where Σ_W cannot be factored.
 */
export const fitMahalanobis: FitScore = async (train, { moments, jitter: asked }) => {
  const covariance = combination([1 / train.count, await moments.within()]);
  const { inverses, jitter } = await whiteningOf([covariance], asked);
  const origin = sampleMean(moments);
  return { jitter, score: (set) => leastDistances(set, moments.means, origin, inverses[0]) };
};

/**
 * `min_c ‖L⁻¹(h−μ_c)‖²` for each feature of a set. Which mean is nearest is told by `‖w_c‖² − 2 w_c·L⁻¹(h−o)` with
 * `w_c = L⁻¹(μ_c−o)`; the distance is then taken from that mean itself, for in a collapsed network the distance within a class
 * has few of the digits of that from o. Where rounding could tell the wrong one, both are equally far to the same digits.
 */
async function leastDistances(set: FeatureSet, means: Matrix, origin: Matrix, inverse: Matrix): Promise<Float64Array> {
  const { rows: classes, columns } = means;
  const centred = { ...means, values: means.values.map((mean, k) => mean - origin.values[k % columns]) };
  const whitenedMeans = await timesTransposed(centred, inverse);
  const halves = Float64Array.from({ length: classes }, (_, c) => squaredNorm(whitenedMeans.values, c, columns) / 2);
  const references = zeros(classes + 1, columns); // the last row is the origin
  references.values.set(means.values);
  references.values.set(origin.values, classes * columns);
  const differences = differencesFrom(references, set.features);
  const scores = new Float64Array(set.count);
  const rowOf = new Int32Array(set.count).fill(classes);
  const whitened = new Float64Array(Math.min(blockRows(columns), set.count) * columns);
  for await (const block of differences.blocks()) {
    const located = await timesTransposed(differences.of(block, rowOf).differences, inverse, whitened);
    const products = await timesTransposed(located, whitenedMeans);
    for (let i = 0; i < located.rows; i++) rowOf[block.start + i] = nearestOf(products.values, i, halves);
    await timesTransposed(differences.of(block, rowOf).differences, inverse, whitened);
    for (let i = 0; i < located.rows; i++) scores[block.start + i] = squaredNorm(whitened, i, columns);
  }
  return scores;
}

/** The class of the largest `products − halves` in row `i`, the lowest on ties. */
function nearestOf(products: Float64Array, i: number, halves: Float64Array): number {
  const from = i * halves.length;
  let nearest = 0;
  for (let c = 1; c < halves.length; c++)
    if (products[from + c] - halves[c] > products[from + nearest] - halves[nearest]) nearest = c;
  return nearest;
}
