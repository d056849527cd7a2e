import { classSumsOf } from "../classMeans.ts";
import { factorAll, scatterWithinClasses } from "./covariance.ts";
import { distancesTo } from "./gaussianDistances.ts";
import type { FitScore } from "./scores.ts";

/**
 * Fits `mahalanobis` (Lee et al. 2018): `min_c (h−μ_c)ᵀ Σ_W⁻¹ (h−μ_c)`, with the covariance Σ_W that the classes share, 1/N.
 * @throws CollapsarError `zero-denominator` where Σ_W cannot be factored.
 */
export const fitMahalanobis: FitScore = async (train, { jitter: asked }) => {
  const means = (await classSumsOf(train)).means();
  const covariance = (await scatterWithinClasses(train, means)).map((value) => value / train.count);
  const { factors, jitter } = factorAll([covariance], means.columns, asked);
  const distances = await distancesTo(means, factors);
  return {
    jitter,
    async score(set) {
      const scores = new Float64Array(set.count);
      await distances((i, squares) => {
        scores[i] = squares.reduce((least, square) => Math.min(least, square), Number.POSITIVE_INFINITY);
      }, set);
      return scores;
    },
  };
};
