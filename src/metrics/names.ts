/** Changes whenever a definition does, so that numbers of different definitions never mix. */
export const METRICS_VERSION = "2";

/** How a metric is shown, and where it should go: down, up, or neither where it only describes. */
export interface MetricDescription {
  readonly label: string;
  readonly better: "lower" | "higher" | "neither";
}

/** NC1 to NC4 and what explains them. */
const COLLAPSE = {
  nc1: { label: "NC1 variability collapse", better: "lower" },
  nc2_equinorm_means: { label: "NC2 equinormality of means", better: "lower" },
  nc2_equinorm_classifiers: { label: "NC2 equinormality of classifiers", better: "lower" },
  nc2_equiangular_means: { label: "NC2 equiangularity of means", better: "lower" },
  nc2_equiangular_classifiers: { label: "NC2 equiangularity of classifiers", better: "lower" },
  nc3: { label: "NC3 self-duality", better: "lower" },
  nc4_error: { label: "NC4 nearest class mean ≠ label", better: "lower" },
  nc4_mismatch: { label: "NC4 nearest class mean ≠ network", better: "lower" },
  train_accuracy: { label: "training accuracy", better: "higher" },
  sigma_b_rank: { label: "rank of Σ_B", better: "neither" },
  sigma_b_condition: { label: "condition number of Σ_B", better: "neither" },
  trace_sigma_w: { label: "trace of Σ_W", better: "neither" },
  trace_sigma_b: { label: "trace of Σ_B", better: "neither" },
  samples: { label: "training samples", better: "neither" },
} as const satisfies Record<string, MetricDescription>;

/** Other measures of the same, by variant. */
const STRUCTURE = {
  nc1_svd: { label: "NC1 by the leading C−1 directions", better: "lower" },
  nc1_quot: { label: "NC1 as quotient of traces", better: "lower" },
  nc1_cdnv: { label: "NC1 class-distance normalised variance", better: "lower" },
  nc2_etf_means: { label: "simplex-ETF error of means", better: "lower" },
  nc2_etf_classifiers: { label: "simplex-ETF error of classifiers", better: "lower" },
  nc3_etf: { label: "simplex-ETF error of classifiers with means", better: "lower" },
  nc3_cosine: { label: "mean cosine of classifier and mean", better: "higher" },
  unc3: { label: "UNC3 variance of that cosine", better: "lower" },
  gnc2_log_means: { label: "GNC2 log kernel of means", better: "lower" },
  gnc2_log_variance_means: { label: "GNC2 log kernel of means, variance", better: "lower" },
  gnc2_log_classifiers: { label: "GNC2 log kernel of classifiers", better: "lower" },
  gnc2_log_variance_classifiers: { label: "GNC2 log kernel of classifiers, variance", better: "lower" },
  effective_rank_means: { label: "effective rank of means", better: "neither" },
  effective_rank_classifiers: { label: "effective rank of classifiers", better: "neither" },
} as const satisfies Record<string, MetricDescription>;

/** What the test set shows. */
const TEST = {
  accuracy: { label: "test accuracy", better: "higher" },
  ncc_accuracy: { label: "test accuracy of the nearest class mean", better: "higher" },
  nll: { label: "negative log-likelihood", better: "lower" },
  ece: { label: "expected calibration error, 15 bins", better: "lower" },
  adaptive_ece: { label: "calibration error, bins of equal count", better: "lower" },
  brier: { label: "Brier score", better: "lower" },
  val_nll: { label: "negative log-likelihood of the validation part", better: "lower" },
  temperature: { label: "temperature", better: "neither" },
} as const satisfies Record<string, MetricDescription>;

/** Measures of OoD detection; in results `MEASURE:SET:SCORE`. */
const DETECTION = {
  auroc: { label: "AUROC", better: "higher" },
  aupr_ood: { label: "average precision, OoD positive", better: "higher" },
  aupr_id: { label: "average precision, in-distribution positive", better: "higher" },
  fpr95: { label: "FPR at 95 % TPR, OoD positive", better: "lower" },
  fpr95_id_positive: { label: "FPR at 95 % TPR, in-distribution positive", better: "lower" },
} as const satisfies Record<string, MetricDescription>;

const JITTER: MetricDescription = { label: "jitter of the covariances", better: "neither" };

/** The metrics that are taken over the training set alone. */
export type CollapseMetricName = keyof typeof COLLAPSE;

/** The metrics of one number each, by what they tell of. */
export const SECTIONS: Readonly<
  Record<"collapse" | "test" | "structure", Readonly<Record<string, MetricDescription>>>
> = {
  collapse: COLLAPSE,
  test: TEST,
  structure: STRUCTURE,
};

/** Every metric without a set or variant in its name, in the order in which they are shown. */
export const METRICS: Readonly<Record<string, MetricDescription>> = { ...COLLAPSE, ...TEST, ...STRUCTURE };

/**
 * Returns the description of a metric by its name in the API, `auroc:SET:SCORE`, `ece:after_nll_optimum` and `jitter:SCORE`
 * too, or null where there is no such metric.
 */
export function metricOf(name: string): MetricDescription | null {
  const [base, variant, score] = name.split(":") as [string, string?, string?];
  if (base === "jitter") return JITTER;
  const known = (score === undefined ? METRICS : (DETECTION as Record<string, MetricDescription>))[base];
  if (!known || variant === undefined) return known ?? null;
  return { ...known, label: `${known.label}, ${score === undefined ? variant : `${score} against ${variant}`}` };
}
