import type { Reals } from "../matrix.ts";
import type { FeatureSet, LabelledSet } from "../rows.ts";
import { fitGmm } from "./gmm.ts";
import { fitKnn } from "./knn.ts";
import { type LogitScores, logitScore } from "./logitScores.ts";
import { fitMahalanobis } from "./mahalanobis.ts";
import type { Moments } from "./moments.ts";
import { fitNeco } from "./neco.ts";
import { fitVim } from "./vim.ts";

/** A score fitted on a training set; higher means more out-of-distribution. */
export interface Scorer {
  /** Returns the score of each of N samples. @throws CollapsarError that names a sample which has none. */
  score(set: FeatureSet): Promise<Float64Array>;
  /** What was added to the diagonal of covariances, absolute, where the score has any. */
  readonly jitter?: number;
}

/** What scores are fitted with, besides the samples. */
export interface Fitting {
  readonly moments: Moments;
  /** The last linear layer: weight C×D and bias C. */
  readonly classifier: { readonly weight: Reals; readonly bias: Reals };
  /** Where given, what is added to the diagonal of covariances, absolute. */
  readonly jitter?: number | undefined;
}

/** Fits a score. @throws CollapsarError that says why it cannot be fitted. */
export type FitScore = (train: LabelledSet, fitting: Fitting) => Promise<Scorer>;

/** Every score by its name in results. */
export const SCORES = {
  softmax_entropy: ofLogits("softmax_entropy"),
  energy: ofLogits("energy"),
  max_softmax: ofLogits("max_softmax"),
  gmm: fitGmm,
  mahalanobis: fitMahalanobis,
  knn: fitKnn,
  vim: fitVim,
  neco: fitNeco,
} as const satisfies Record<string, FitScore>;

export type ScoreName = keyof typeof SCORES;

/** The scores of logits need no fit. */
function ofLogits(name: keyof LogitScores): FitScore {
  return async () => ({ score: (set) => logitScore(name, set) });
}
