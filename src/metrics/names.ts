/** Changes whenever a definition does, so that numbers of different definitions never mix. */
export const METRICS_VERSION = "2";

/** How a metric is shown, and where it should go: down, up, or neither where it only describes. */
export interface MetricDescription {
  readonly label: string;
  readonly better: "lower" | "higher" | "neither";
}

const DESCRIPTIONS = {
  nc1: { label: "NC1 variability collapse", better: "lower" },
  nc2_equinorm_means: { label: "NC2 equinormality of means", better: "lower" },
  nc2_equinorm_classifiers: { label: "NC2 equinormality of classifiers", better: "lower" },
  nc2_equiangular_means: { label: "NC2 equiangularity of means", better: "lower" },
  nc2_equiangular_classifiers: { label: "NC2 equiangularity of classifiers", better: "lower" },
  nc3: { label: "NC3 self-duality", better: "lower" },
  nc4_error: { label: "NC4 nearest class mean ≠ label", better: "lower" },
  nc4_mismatch: { label: "NC4 nearest class mean ≠ network", better: "lower" },
  accuracy: { label: "test accuracy", better: "higher" },
  ncc_accuracy: { label: "test accuracy of the nearest class mean", better: "higher" },
  train_accuracy: { label: "training accuracy", better: "higher" },
  sigma_b_rank: { label: "rank of Σ_B", better: "neither" },
  sigma_b_condition: { label: "condition number of Σ_B", better: "neither" },
  trace_sigma_w: { label: "trace of Σ_W", better: "neither" },
  trace_sigma_b: { label: "trace of Σ_B", better: "neither" },
  samples: { label: "training samples", better: "neither" },
} as const satisfies Record<string, MetricDescription>;

/** The name of a metric in the API. */
export type MetricName = keyof typeof DESCRIPTIONS;

/** Every metric by its name in the API, in the order in which they are shown. */
export const METRICS: Readonly<Record<string, MetricDescription>> = DESCRIPTIONS;

/** The metrics that are taken over the training set alone. */
export type CollapseMetricName = Exclude<MetricName, "accuracy" | "ncc_accuracy">;
