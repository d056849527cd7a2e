import { CollapsarError } from "../../errors.ts";
import { halfLogDeterminant } from "../cholesky.ts";
import { classSumsOf } from "../classMeans.ts";
import { factorAll, scatterOfClasses } from "./covariance.ts";
import { distancesTo } from "./gaussianDistances.ts";
import type { FitScore } from "./scores.ts";

/**
 * Fits `gmm`, the density of DDU (Mukhoti et al. 2021): one Gaussian per class with its own covariance, 1/(n_c−1), and no
 * class priors; the score is `−logsumexp_c log N(h; μ_c, Σ_c)`.
 * @throws CollapsarError `too-few-samples` that names a class with fewer than 2; `zero-denominator` where the covariances
 *   cannot be factored; `object-too-large` where they would not fit the memory.
 */
export const fitGmm: FitScore = async (train, { jitter: asked }) => {
  const sums = await classSumsOf(train);
  const means = sums.means();
  const { columns } = means;
  const lonely = sums.counts.findIndex((count) => count < 2);
  if (lonely >= 0)
    throw new CollapsarError("too-few-samples", `class ${lonely} has 1 sample: a covariance needs at least 2`);
  const scatter = await scatterOfClasses(train, means);
  for (const [c, values] of scatter.entries()) for (let k = 0; k < values.length; k++) values[k] /= sums.counts[c] - 1;
  const { factors, jitter } = factorAll(scatter, columns, asked);
  const constants = factors.map(
    (factor) => -(columns / 2) * Math.log(2 * Math.PI) - halfLogDeterminant(factor, columns),
  );
  const distances = await distancesTo(means, factors);
  return {
    jitter,
    async score(set) {
      const scores = new Float64Array(set.count);
      await distances((i, squares) => {
        let largest = Number.NEGATIVE_INFINITY;
        for (let c = 0; c < squares.length; c++) largest = Math.max(largest, constants[c] - squares[c] / 2);
        let sum = 0;
        for (let c = 0; c < squares.length; c++) sum += Math.exp(constants[c] - squares[c] / 2 - largest);
        scores[i] = -(largest + Math.log(sum));
      }, set);
      return scores;
    },
  };
};
