import { formatNumber } from "../../src/commands/table.ts";
import { COLLAPSE, LOSSES } from "./claims.ts";
import { GROUPS, OOD } from "./plan.ts";
import { comparePairs, correlate, type PairedComparison, type StudyValues, summaryAt } from "./statistics.ts";
import { formatMean, formatP, formatR, markdownTable } from "./text.ts";

const SCORES = ["softmax_entropy", "max_softmax", "energy", "gmm", "mahalanobis", "knn", "vim", "neco"];
/** The metrics of detection by every score, AUROC and FPR at 95 % TPR. */
export const AUROCS = SCORES.map((score) => `auroc:${OOD}:${score}`);
const FPRS = SCORES.map((score) => `fpr95:${OOD}:${score}`);
const ACCURACY = ["accuracy", "ncc_accuracy", "train_accuracy"];
const CALIBRATION = [
  "ece",
  "nll",
  "brier",
  "ece:after_nll_optimum",
  "nll:after_nll_optimum",
  "temperature:after_nll_optimum",
];

/** Returns the tables of mean and interval of every metric by group after `epoch`, as Markdown. */
export function groupTables(study: StudyValues, epoch: number): string {
  const table = (metrics: readonly string[]) =>
    markdownTable(
      ["metric", ...GROUPS.map((group) => `${group} (n = ${study.at(group, epoch, metrics[0]!).seeds.length})`)],
      metrics.map((metric) => [
        `\`${metric}\``,
        ...GROUPS.map((group) => formatMean(summaryAt(study, group, epoch, metric))),
      ]),
    );
  return [
    "Mean over the seeds ± half of its 95 % Student-t interval.",
    ...["### Collapse", table(COLLAPSE)],
    ...["### Accuracy", "By the classifier, and by the nearest class centre.", table(ACCURACY)],
    ...["### Calibration", table(CALIBRATION)],
    ...["### OoD detection: AUROC", table(AUROCS)],
    ...["### OoD detection: FPR at 95 % TPR", table(FPRS)],
  ].join("\n\n");
}

/** Returns the table of NC1 by group after every epoch, with the tests between the losses, as Markdown. */
export function nc1Table(study: StudyValues): string {
  const tests = Map.groupBy(comparePairs(study, study.epochs, LOSSES, ["nc1"]), ({ epoch }) => epoch);
  return [
    `Mean over the seeds ± half of its 95 % interval, and the differences between the losses over shared seeds; p of the paired t test after Holm's correction over the ${study.epochs.length * LOSSES.length} tests of this table.`,
    markdownTable(
      ["epoch", ...GROUPS, ...LOSSES.flatMap(([a, b]) => [`${a} − ${b}`, "p"])],
      study.epochs.map((epoch) => [
        String(epoch),
        ...GROUPS.map((group) => formatMean(summaryAt(study, group, epoch, "nc1"))),
        ...tests.get(epoch)!.flatMap(({ difference, p }) => [formatNumber(difference), formatP(p)]),
      ]),
    ),
  ].join("\n\n");
}

/** Returns the table of `comparisons`, as Markdown. */
export function testsTable(comparisons: readonly PairedComparison[]): string {
  const rows = comparisons.map(({ metric, a, b, pairs, difference, ci95, p, pWilcoxon, g }) => [
    ...[`\`${metric}\``, `${a} − ${b}`, String(pairs)],
    formatMean({ mean: difference, ci95 }),
    ...[formatP(p), formatP(pWilcoxon), formatNumber(g)],
  ]);
  return [
    `Paired over the seeds that both groups have: difference of the means ± half of its 95 % interval, two-sided p of the t test and of Wilcoxon's signed-rank test, each after Holm's correction over all ${comparisons.length} rows, and Hedges' g.`,
    markdownTable(["metric", "pair", "n", "difference", "p paired t", "p Wilcoxon", "g"], rows),
  ].join("\n\n");
}

/** Returns the table of correlations of NC1 and the AUROC of every score after `epoch`, as Markdown. */
export function correlationTable(study: StudyValues, epoch: number): string {
  const over = [
    { name: "all runs", groups: GROUPS as readonly string[] },
    ...GROUPS.map((name) => ({ name, groups: [name] })),
  ];
  const rows = SCORES.flatMap((score) =>
    over.map(({ name, groups }) => {
      const { n, pearson, spearman } = correlate(study, groups, epoch, ["nc1", `auroc:${OOD}:${score}`]);
      return [
        `\`${score}\``,
        name,
        String(n),
        formatR(pearson),
        formatP(pearson.p),
        formatR(spearman),
        formatP(spearman.p),
      ];
    }),
  );
  return [
    `Correlation of NC1 and AUROC after epoch ${epoch} over runs, with 95 % bootstrap intervals. Over all runs it is also a difference between groups; within a group it is not.`,
    markdownTable(["score", "over", "n", "Pearson r", "p", "Spearman ρ", "p"], rows),
  ].join("\n\n");
}
