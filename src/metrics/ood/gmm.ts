import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { blockRows, type FeatureSet } from "../rows.ts";
import { softmaxSums } from "../softmax.ts";
import { classCovariances, whiteningOf } from "./covariance.ts";
import type { FitScore } from "./scores.ts";
import { bandsOf, whitenedNorms } from "./whitenedNorms.ts";

/** Gaussians with means μ_c (C×D) and the inverse lower factors of their covariances, in bands. */
interface Gaussians {
  readonly means: Matrix;
  readonly factors: readonly (readonly Matrix[])[];
  /** `log N(μ_c; μ_c, Σ_c)` (C). */
  readonly peaks: readonly number[];
}

/**
 * Fits `gmm`, the density of DDU (Mukhoti et al. 2021): one Gaussian per class with its own covariance, 1/(n_c−1), and no
 * class priors; the score is `−logsumexp_c log N(h; μ_c, Σ_c)`. Besides the training set it needs C·D² float64 numbers.
 * @throws CollapsarError `too-few-samples` that names a class with fewer than 2; `zero-denominator` that names a class whose
 *   covariance cannot be factored; `object-too-large`.
 */
export const fitGmm: FitScore = async (train, { moments, jitter: asked }) => {
  const covariances = await classCovariances(train, moments);
  const { inverses, jitter } = await whiteningOf(covariances, asked);
  const gaussians = { means: moments.means, factors: inverses.map(bandsOf), peaks: inverses.map(peakOf) };
  return { jitter, score: (set) => negativeLogDensities(set, gaussians) };
};

/** `−D/2 log 2π − ½ log det Σ`, from `L⁻¹` of `Σ = L Lᵀ`. */
function peakOf({ rows: size, values }: Matrix): number {
  let sum = (-size / 2) * Math.log(2 * Math.PI);
  for (let d = 0; d < size; d++) sum += Math.log(values[d * size + d]);
  return sum;
}

/** `(h−μ_c)ᵀ Σ_c⁻¹ (h−μ_c)` is `‖L_c⁻¹(h−μ_c)‖²`: one product per class. */
async function negativeLogDensities(set: FeatureSet, { means, factors, peaks }: Gaussians): Promise<Float64Array> {
  const { rows: classes, columns } = means;
  const scores = new Float64Array(set.count);
  const rowOf = new Int32Array(set.count);
  const differences = differencesFrom(means, set.features);
  const rows = Math.min(blockRows(columns), set.count);
  const squaresOf = whitenedNorms(rows, columns);
  const densities = new Float64Array(rows * classes);
  for await (const block of differences.blocks()) {
    const count = block.end - block.start;
    for (let c = 0; c < classes; c++) {
      rowOf.fill(c, block.start, block.end);
      const squares = await squaresOf(differences.of(block, rowOf).differences, factors[c]);
      for (let i = 0; i < count; i++) densities[i * classes + c] = peaks[c] - squares[i] / 2;
    }
    for (let i = 0; i < count; i++) {
      const { largest, others } = softmaxSums(densities, i, classes, 1);
      scores[block.start + i] = -(largest + Math.log1p(others));
    }
  }
  return scores;
}
