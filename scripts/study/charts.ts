import type { TopLevelSpec } from "vega-lite";
import { METRICS } from "../../src/metrics/names.ts";
import { GROUPS, OOD } from "./plan.ts";
import { COLOURS } from "./render.ts";
import { correlate, type StudyValues, summaryAt } from "./statistics.ts";
import { formatR } from "./text.ts";

/** Of the chart of trajectories, in reading order. */
const COLLAPSE = [
  ...(["nc1", "nc2_equinorm_means", "nc2_equinorm_classifiers", "nc2_equiangular_means"] as const),
  ...(["nc2_equiangular_classifiers", "nc3", "nc4_error", "nc4_mismatch"] as const),
];

/** Of the chart of AUROC against NC1: the scores that the paper looks at, and two more of the features. */
const SCORES = ["softmax_entropy", "energy", "gmm", "knn", "mahalanobis", "vim"];

const SPREAD = [
  ...["nc1", "nc3", "accuracy", "ncc_accuracy", "ece"],
  ...["softmax_entropy", "energy", "gmm"].map((score) => `auroc:${OOD}:${score}`),
];

const COLOUR = { field: "group", type: "nominal", scale: { domain: [...GROUPS], range: [...COLOURS] } } as const;
const PANEL = { width: 200, height: 150 };
const NUMBER = { format: "~g" };

/** Returns the chart of NC1 to NC4 over the epochs: mean over the seeds and its 95 % interval, per group. */
export function trajectories(study: StudyValues): TopLevelSpec {
  const values = COLLAPSE.flatMap((metric) =>
    GROUPS.flatMap((group) =>
      study.epochs.flatMap((epoch) => {
        const { mean, ci95 } = summaryAt(study, group, epoch, metric);
        const [low, high] = ci95 ?? [mean, mean];
        // a logarithm has no place for the rest
        return low !== null && low > 0 ? [{ metric: labelOf(metric), group, epoch, mean, low, high }] : [];
      }),
    ),
  );
  const x = { field: "epoch", type: "quantitative", axis: { tickMinStep: 1 } } as const;
  const y = { type: "quantitative", title: null, scale: { type: "log", nice: false }, axis: NUMBER } as const;
  return {
    data: { values },
    facet: { field: "metric", type: "nominal", title: null, sort: COLLAPSE.map(labelOf) },
    columns: 4,
    resolve: { scale: { y: "independent" } },
    spec: {
      ...PANEL,
      encoding: { x, color: COLOUR },
      layer: [
        { mark: { type: "area", opacity: 0.2 }, encoding: { y: { ...y, field: "low" }, y2: { field: "high" } } },
        { mark: { type: "line", strokeWidth: 1.5 }, encoding: { y: { ...y, field: "mean" } } },
      ],
    },
  };
}

/** Returns the chart of AUROC against NC1 after `epoch`: a point per run, a panel per score with the correlation over all runs. */
export function aurocAgainstNc1(study: StudyValues, epoch: number): TopLevelSpec {
  const titles = SCORES.map((score) => {
    const { n, pearson } = correlate(study, GROUPS, epoch, ["nc1", `auroc:${OOD}:${score}`]);
    return `${score}: r = ${formatR(pearson)}, n = ${n}`;
  });
  const values = SCORES.flatMap((score, i) =>
    GROUPS.flatMap((group) => {
      const { values: ys } = study.at(group, epoch, `auroc:${OOD}:${score}`);
      const { values: xs } = study.at(group, epoch, "nc1");
      return ys.map((auroc, j) => ({ score: titles[i], group, nc1: xs[j], auroc }));
    }),
  );
  return {
    data: { values },
    facet: { field: "score", type: "nominal", title: null, sort: titles },
    columns: 3,
    resolve: { scale: { y: "independent" } },
    spec: {
      ...{ width: 280, height: 200 },
      mark: { type: "point", filled: true, size: 40, opacity: 0.8 },
      encoding: {
        x: { field: "nc1", type: "quantitative", title: "NC1", scale: { type: "log", nice: false }, axis: NUMBER },
        y: { field: "auroc", type: "quantitative", title: "AUROC", scale: { zero: false } },
        color: COLOUR,
      },
    },
  };
}

/** Returns the chart of every seed after `epoch`: a point per run, a bar at the mean, a panel per metric. */
export function seedSpread(study: StudyValues, epoch: number): TopLevelSpec {
  const values = SPREAD.flatMap((metric) =>
    GROUPS.flatMap((group) =>
      study.at(group, epoch, metric).values.map((value) => ({ metric: labelOf(metric), group, value })),
    ),
  );
  const x = { field: "group", type: "nominal", title: null, sort: [...GROUPS], axis: { labelAngle: 0 } } as const;
  const y = { field: "value", type: "quantitative", title: null, scale: { zero: false }, axis: NUMBER } as const;
  return {
    data: { values },
    facet: { field: "metric", type: "nominal", title: null, sort: SPREAD.map(labelOf) },
    columns: 4,
    resolve: { scale: { y: "independent" } },
    spec: {
      ...PANEL,
      encoding: { x, color: { ...COLOUR, legend: null } },
      layer: [
        { mark: { type: "point", size: 25, opacity: 0.7 }, encoding: { y } },
        { mark: { type: "tick", thickness: 2, width: 30 }, encoding: { y: { ...y, aggregate: "mean" } } },
      ],
    },
  };
}

/** Returns what a panel is called: the label of a metric, and of a measure of detection its name. */
function labelOf(metric: string): string {
  return METRICS[metric]?.label ?? metric.replace(/^auroc:[^:]*:/, "AUROC ");
}
