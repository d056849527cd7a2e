import { styleText } from "node:util";
import type { Measured } from "../evaluation/measure.ts";
import { type MetricDescription, SECTIONS } from "../metrics/names.ts";
import { formatNumber, formatTable, wrap } from "./table.ts";

type Values = Measured["values"];

/** The measures of OoD detection, by their columns. */
export const DETECTION: Readonly<Record<string, { readonly heading: string; readonly optional?: boolean }>> = {
  auroc: { heading: "AUROC" },
  aupr_ood: { heading: "AUPR out" },
  aupr_id: { heading: "AUPR in" },
  fpr95: { heading: "FPR95" },
  fpr95_id_positive: { heading: "FPR95 in", optional: true },
};

/** What of the test set is no calibration. */
export const ACCURACY: readonly string[] = ["accuracy", "ncc_accuracy"];

/** More names than these are only counted. */
const NAMED = 6;

/**
 * Returns the metrics as tables that fit the terminal: collapse, structure, OoD detection by set with a row per score,
 * calibration before and after each scaling, accuracy; then why some could not be taken.
 */
export function formatMetrics({ values, omitted }: Pick<Measured, "values" | "omitted">): string {
  const { collapse, structure, test } = SECTIONS;
  const isAccuracy = (name: string) => ACCURACY.includes(name);
  const accuracy = Object.fromEntries(Object.entries(test).filter(([name]) => isAccuracy(name)));
  const calibration = Object.fromEntries(Object.entries(test).filter(([name]) => !isAccuracy(name)));
  const sections: [string, string][] = [
    ["Collapse", formatSection(collapse, values)],
    ["Structure", formatSection(structure, values)],
    ...setsOf(values).map((set): [string, string] => [`Out of distribution: ${set}`, formatDetection(set, values)]),
    ["Calibration", formatCalibration(calibration, values)],
    ["Accuracy", formatSection(accuracy, values)],
    ["Left out", formatOmitted(omitted)],
  ];
  return sections
    .filter(([, text]) => text !== "")
    .map(([title, text]) => `${styleText("bold", title)}\n${text}`)
    .join("\n\n");
}

function formatSection(section: Readonly<Record<string, MetricDescription>>, values: Values): string {
  const rows = Object.entries(section).flatMap(([name, { label }]) =>
    values[name] === undefined ? [] : [[name, formatNumber(values[name]), label]],
  );
  const columns = [
    { heading: "metric", align: "left" },
    { heading: "value" },
    { heading: "", align: "left", optional: true },
  ] as const;
  return rows.length > 0 ? formatTable(columns, rows) : "";
}

/** Returns the parts of a name `MEASURE:SET:SCORE`, whose set may have colons itself, or null for any other name. */
export function detectionOf(name: string): { measure: string; set: string; score: string } | null {
  const [, measure, set, score] = /^([^:]+):(.+):([^:]+)$/.exec(name) ?? [];
  return measure !== undefined && measure in DETECTION ? { measure, set: set!, score: score! } : null;
}

function setsOf(values: Values): string[] {
  return [...new Set(Object.keys(values).flatMap((name) => detectionOf(name)?.set ?? []))];
}

function formatDetection(set: string, values: Values): string {
  const found = Object.keys(values).flatMap((name) => detectionOf(name) ?? []);
  const scores = new Set(found.filter((each) => each.set === set).map(({ score }) => score));
  const jitters = [...scores].some((score) => values[`jitter:${score}`] !== undefined);
  const columns = [
    { heading: "score", align: "left" as const },
    ...Object.values(DETECTION),
    ...(jitters ? [{ heading: "jitter", optional: true }] : []),
  ];
  const rows = [...scores].map((score) => [
    score,
    ...Object.keys(DETECTION).map((measure) => formatNumber(values[`${measure}:${set}:${score}`] ?? null)),
    ...(jitters ? [formatNumber(values[`jitter:${score}`] ?? null)] : []),
  ]);
  return formatTable(columns, rows);
}

/** A row per measure; a column as the network gives it, and one for each temperature. */
function formatCalibration(section: Readonly<Record<string, MetricDescription>>, values: Values): string {
  const variants = Object.keys(values).flatMap((name) => {
    const [base, variant, more] = name.split(":") as [string, string?, string?];
    return base in section && variant !== undefined && more === undefined ? [variant] : [];
  });
  const ends = ["", ...new Set(variants)];
  const cellOf = (name: string, end: string) => values[end === "" ? name : `${name}:${end}`] ?? null;
  const rows = Object.keys(section).flatMap((name) => {
    const cells = ends.map((end) => cellOf(name, end));
    return cells.some((cell) => cell !== null) ? [[name, ...cells.map(formatNumber)]] : [];
  });
  const headings = ends.map((end) => ({ heading: end === "" ? "before" : end.replaceAll("_", " ") }));
  return rows.length > 0 ? formatTable([{ heading: "metric", align: "left" }, ...headings], rows) : "";
}

/** A line for each reason. The measures of one score are one name. */
function formatOmitted(omitted: Measured["omitted"]): string {
  const width = process.stdout.columns ?? Number.POSITIVE_INFINITY;
  const reasons = Map.groupBy(Object.entries(omitted), ([, reason]) => reason);
  return [...reasons]
    .map(([reason, entries]) => {
      const names = [...new Set(entries.map(([name]) => shortName(name)))];
      const rest = names.length - NAMED;
      const named = rest > 0 ? `${names.slice(0, NAMED).join(", ")} and ${rest} more` : names.join(", ");
      return wrap(`${named}: ${reason}`, width).join("\n");
    })
    .join("\n");
}

function shortName(name: string): string {
  const detection = detectionOf(name);
  return detection ? `${detection.score} against ${detection.set}` : name;
}
