import { formatDuration } from "../../src/commands/batchState.ts";
import { formatNumber } from "../../src/commands/table.ts";
import { aurocAgainstNc1, seedSpread, trajectories } from "./charts.ts";
import { COLLAPSE, formatClaims, PAIRS } from "./claims.ts";
import type { StudyFacts } from "./facts.ts";
import { FULL, GROUPS, OOD } from "./plan.ts";
import type { StudyRecord } from "./records.ts";
import { renderSvg } from "./render.ts";
import { comparePairs, correlate, type StudyValues, studyValues, summaryAt } from "./statistics.ts";
import { formatMean, formatP, formatR, markdownTable } from "./text.ts";

const SCORES = ["softmax_entropy", "max_softmax", "energy", "gmm", "mahalanobis", "knn", "vim", "neco"];
const AUROCS = SCORES.map((score) => `auroc:${OOD}:${score}`);
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

/** What the report is made of: names and contents of files below docs. */
export type ReportFiles = ReadonlyMap<string, string>;

/**
 * Returns the report of the study as `study.md` and its charts. It follows from records and facts alone: the same bytes
 * wherever and whenever it is made.
 */
export async function reportOf(records: readonly StudyRecord[], facts: StudyFacts): Promise<ReportFiles> {
  const study = studyValues(records, GROUPS);
  const epoch = study.epochs.at(-1)!;
  const comparisons = comparePairs(study, epoch, PAIRS, [...COLLAPSE, "accuracy", "ncc_accuracy", "ece", ...AUROCS]);
  const sections = [
    ["# The study", introduction(study, facts)],
    ["## What agrees with the paper and what does not", formatClaims(study, epoch, comparisons)],
    [`## The groups after epoch ${epoch}`, groupTables(study, epoch)],
    ["## NC1 at the same epoch", nc1Table(study), "![NC1 to NC4 over the epochs](study/trajectories.svg)"],
    ["## Tests between groups", testsTable(comparisons)],
    ["## OoD detection against NC1", correlationTable(study, epoch), "![AUROC against NC1](study/auroc-nc1.svg)"],
    ["## Every seed", "![Every seed after the last epoch](study/seeds.svg)"],
    ["## On all training images", fullSection(records, facts)],
    ["## How it was made", making(facts)],
  ];
  return new Map([
    ["study.md", `${sections.flat().filter(Boolean).join("\n\n")}\n`],
    ["study/trajectories.svg", await renderSvg(trajectories(study))],
    ["study/auroc-nc1.svg", await renderSvg(aurocAgainstNc1(study, epoch))],
    ["study/seeds.svg", await renderSvg(seedSpread(study, epoch))],
  ]);
}

function introduction(study: StudyValues, { training, images, failed }: StudyFacts): string {
  const n = Math.max(...GROUPS.map((group) => study.at(group, study.epochs.at(-1)!, "nc1").seeds.length));
  const stopped = Object.entries(failed).map(([run, message]) => `- ${run} ended early: ${message}`);
  return [
    `A ResNet18 of width ${training.width} on Fashion-MNIST: ${n} seeds of each of four groups, cross-entropy (ce) and the NC loss (nc), each without and with L2 normalisation of the features (+l2). Each run is ${training.epochs} epochs of ${training.imagesPerEpoch} images, drawn anew for each epoch; after every epoch its checkpoint is evaluated: NC1 to NC4 over ${images.measured} of the training images, accuracy and calibration over ${images.test} test images, OoD detection against the digits of MNIST.`,
    "The question is that of arXiv 2209.08378, at a scale that fits one small machine. All numbers, tables and verdicts below are made by a program from the records in [study](study).",
    ...(stopped.length > 0 ? [stopped.join("\n")] : []),
  ].join("\n\n");
}

function groupTables(study: StudyValues, epoch: number): string {
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

function nc1Table(study: StudyValues): string {
  const tests = study.epochs.map((epoch) => comparePairs(study, epoch, PAIRS.slice(0, 1), ["nc1"])[0]!);
  return markdownTable(
    ["epoch", ...GROUPS, "nc − ce", "p"],
    study.epochs.map((epoch, i) => [
      String(epoch),
      ...GROUPS.map((group) => formatMean(summaryAt(study, group, epoch, "nc1"))),
      ...[formatNumber(tests[i]!.difference), formatP(tests[i]!.p)],
    ]),
  );
}

function testsTable(comparisons: ReturnType<typeof comparePairs>): string {
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

function correlationTable(study: StudyValues, epoch: number): string {
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

function fullSection(records: readonly StudyRecord[], { full, seconds }: StudyFacts): string {
  const own = records.filter(({ group }) => group === FULL);
  const valueIn = (metric: string) => own.find((record) => record.metric === metric)?.value ?? null;
  if (!full || own.length === 0) return "There is no such run.";
  const shown = ["accuracy", "ncc_accuracy", "train_accuracy", "nc1", "ece", `auroc:${OOD}:gmm`, `auroc:${OOD}:energy`];
  return [
    `One run of cross-entropy, width ${full.width}, on all ${formatNumber(valueIn("samples"))} training images for ${full.epochs} epochs, in ${formatDuration(seconds["full training"] ?? Number.NaN)} (minutes and seconds), evaluated on the whole test set.`,
    markdownTable(
      ["metric", "value"],
      shown.map((metric) => [`\`${metric}\``, formatNumber(valueIn(metric))]),
    ),
  ].join("\n\n");
}

function making({
  command,
  versions,
  machine,
  training,
  learningRates,
  full,
  checkpoints,
  seconds,
}: StudyFacts): string {
  const settings = ({ width, epochs, batchSize, schedule }: StudyFacts["training"]) =>
    `width ${width}, ${epochs} epochs, batches of ${batchSize}, schedule ${schedule}`;
  return [
    `\`${command}\` trains and evaluates what is missing, writes the records and this report; \`${command} -- --report-only\` makes the report of the records.`,
    markdownTable(
      ["stage", "time"],
      Object.entries(seconds).map(([stage, time]) => [stage, formatDuration(time)]),
    ),
    `${checkpoints} checkpoints were evaluated. Machine: ${machine.cpu}, ${machine.threads} threads, ${machine.memoryGiB} GiB. Collapsar ${versions.collapsar}, Node ${versions.node}, training on ${versions.training}, evaluation on ${versions.evaluation}.`,
    `The groups: ${settings(training)}, learning rate ${learningRates.ce} for cross-entropy and ${learningRates.nc} for the NC loss; how these were chosen says \`scripts/study/plan.ts\`. The rest is in \`presets/study.json\`, and as the preset \`ddu\`.`,
    ...(full
      ? [`On all images: ${settings(full)}, learning rate ${full.learningRate} (\`presets/study-full.json\`).`]
      : []),
  ].join("\n\n");
}
