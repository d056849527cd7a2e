import { formatDuration } from "../../src/commands/batchState.ts";
import { formatNumber } from "../../src/commands/table.ts";
import { aurocAgainstNc1, seedSpread, trajectories } from "./charts.ts";
import { COLLAPSE, formatClaims, PAIRS } from "./claims.ts";
import type { StudyFacts } from "./facts.ts";
import { CHOICES, FULL, GROUPS, OOD } from "./plan.ts";
import type { StudyRecord } from "./records.ts";
import { renderSvg } from "./render.ts";
import { comparePairs, type StudyValues, studyValues } from "./statistics.ts";
import { AUROCS, correlationTable, groupTables, nc1Table, testsTable } from "./tables.ts";
import { markdownTable } from "./text.ts";

/** What the report is made of: names and contents of files below docs. */
export type ReportFiles = ReadonlyMap<string, string>;

/**
 * Returns the report of the study as `study.md` and its charts. It follows from records and facts alone: the same bytes
 * wherever and whenever it is made.
 */
export async function reportOf(records: readonly StudyRecord[], facts: StudyFacts): Promise<ReportFiles> {
  const study = studyValues(records, GROUPS);
  const epoch = study.epochs.at(-1)!;
  const comparisons = comparePairs(study, [epoch], PAIRS, [...COLLAPSE, "accuracy", "ncc_accuracy", "ece", ...AUROCS]);
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
    `A ResNet18 of width ${training.width} on Fashion-MNIST: ${n} seeds of each of four groups, cross-entropy (ce) and the NC loss (nc), each without and with L2 normalisation of the features (+l2). Each run is ${training.epochs} epochs of ${training.imagesPerEpoch} images, drawn anew for each epoch; the checkpoints after epochs ${study.epochs.join(", ")} are evaluated: NC1 to NC4 over ${images.measured} of the training images, accuracy and calibration over ${images.test} test images, OoD detection against the digits of MNIST.`,
    "The question is that of arXiv 2209.08378, at a scale that fits one small machine. All numbers, tables and verdicts below are made by a program from the records in [study](study).",
    ...(stopped.length > 0 ? [stopped.join("\n")] : []),
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
    `The groups: ${settings(training)}, learning rate ${learningRates.ce} for cross-entropy and ${learningRates.nc} for the NC loss. The rest is in \`presets/study.json\`, and as the preset \`ddu\`.`,
    CHOICES,
    ...(full
      ? [`On all images: ${settings(full)}, learning rate ${full.learningRate} (\`presets/study-full.json\`).`]
      : []),
  ].join("\n\n");
}
