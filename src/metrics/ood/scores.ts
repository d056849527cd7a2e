import type { FeatureSet, LabelledSet } from "../rows.ts";
import { fitGmm } from "./gmm.ts";
import { type LogitScores, logitScores } from "./logitScores.ts";
import { fitMahalanobis } from "./mahalanobis.ts";

/** A score fitted on a training set; higher means more out-of-distribution. */
export interface Scorer {
  /** Returns the score of each of N samples. */
  score(set: FeatureSet): Promise<Float64Array>;
  /** What was added to the diagonal of covariances, absolute, where the score has any. */
  readonly jitter?: number;
}

/** Fits a score. `jitter`, where given, is added as it is. @throws CollapsarError that says why it cannot be fitted. */
export type FitScore = (train: LabelledSet, options: { readonly jitter?: number | undefined }) => Promise<Scorer>;

/** Every score by its name in results. */
export const SCORES = {
  softmax_entropy: ofLogits("softmax_entropy"),
  energy: ofLogits("energy"),
  max_softmax: ofLogits("max_softmax"),
  gmm: fitGmm,
  mahalanobis: fitMahalanobis,
} as const satisfies Record<string, FitScore>;

export type ScoreName = keyof typeof SCORES;

/** The scores of logits need no fit. */
function ofLogits(name: keyof LogitScores): FitScore {
  return async () => ({
    score: async ({ logits, count }) => logitScores(await logits.read(0, count), logits.columns)[name],
  });
}
