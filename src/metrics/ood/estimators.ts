import type { Detection } from "./detection.ts";
import type { ScoreName } from "./scores.ts";

/** What is recorded beside the measures of OoD detection, for codes that bear these names differ in it (docs/metrics.md). */
export interface Estimators {
  readonly direction: string;
  readonly scores: Readonly<Record<ScoreName, string>>;
  readonly measures: Readonly<Record<keyof Detection, string>>;
}

/** How scores and measures are taken. */
export const ESTIMATORS: Estimators = {
  direction: "a higher score means more out-of-distribution",
  scores: {
    softmax_entropy: "−Σ p ln p",
    energy: "−ln Σ exp z, temperature 1",
    max_softmax: "−max p",
    gmm: "−ln Σ_c N(h; μ_c, Σ_c); covariance per class, 1/(n_c−1), plus jitter; no priors",
    mahalanobis: "min_c (h−μ_c)ᵀ Σ⁻¹ (h−μ_c); one covariance of all classes, 1/N, plus jitter",
    knn: "distance to the 50th nearest training feature, all of norm 1",
    vim: "α ‖residual‖ − ln Σ exp z; principal subspace of 1000 dimensions of more than 1500, else 512 or half",
    neco: "−‖P x‖/‖x‖ of standardised features; C−1 principal components",
  },
  measures: {
    auroc: "share of pairs, ties half",
    aupr_ood: "average precision, OoD positive",
    aupr_id: "average precision, in-distribution positive",
    fpr95:
      "share of in-distribution samples at or above the threshold that 95 % of OoD samples reach, not interpolated",
    fpr95_id_positive:
      "share of OoD samples at or below the threshold that 95 % of in-distribution samples do not exceed, not interpolated",
  },
};
