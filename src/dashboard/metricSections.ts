import { METRICS, metricOf } from "../metrics/names.ts";

/** NC1 to NC4, in the order of the paper. */
export const COLLAPSE_METRICS: readonly string[] = Object.keys(METRICS).filter((name) =>
  /^(nc1|nc2_equi.*|nc3|nc4_.*)$/.test(name),
);

/** Of OoD detection, in the order in which they are shown. */
const DETECTION = ["auroc", "fpr95", "aupr_ood", "aupr_id", "fpr95_id_positive"];

const EXPLAINING = /^(train_accuracy|samples|sigma_b_.*|trace_.*)$/;
const TEST = /^(accuracy|ncc_accuracy)$/;
const CALIBRATION = /^(nll|ece|adaptive_ece|brier|val_nll|temperature)(:.*)?$/;

/** Metrics that belong together. */
export interface MetricSection {
  readonly title: string;
  readonly names: readonly string[];
}

/** Returns the metrics of `names` by what they are about, NC1 to NC4 first, a section for each OoD set. */
export function metricSections(names: readonly string[]): MetricSection[] {
  const sections = Map.groupBy(inOrder(names), sectionOf);
  const place = (title: string) => [...ORDER, title].indexOf(title);
  return [...sections]
    .map(([title, members]) => ({ title, names: members }))
    .sort((a, b) => place(a.title) - place(b.title) || a.title.localeCompare(b.title));
}

const ORDER = ["Neural collapse", "Test set", "Calibration", "Collapse, other measures", "Training set"];

function sectionOf(name: string): string {
  const parts = name.split(":");
  if (COLLAPSE_METRICS.includes(name)) return "Neural collapse";
  if (TEST.test(name)) return "Test set";
  if (CALIBRATION.test(name)) return "Calibration";
  if (EXPLAINING.test(name)) return "Training set";
  if (parts.length === 3) return `Out of distribution: ${parts[1]}`;
  return parts[0] === "jitter" ? "Out of distribution: jitter" : "Collapse, other measures";
}

/** Returns `names`, the known metrics in the order in which they are shown everywhere, then any other. */
export function inOrder(names: readonly string[]): string[] {
  const known = [...Object.keys(METRICS), ...DETECTION];
  const place = (name: string) => known.indexOf(name.split(":")[0]!) + (name.includes(":") ? known.length : 0);
  return names.toSorted((a, b) => place(a) - place(b) || a.localeCompare(b));
}

/** Returns of `names` what is looked at first: NC1 to NC4, accuracy, calibration before any scaling, AUROC and FPR95. */
export function mainMetrics(names: readonly string[]): string[] {
  return names.filter((name) => {
    const [base, , score] = name.split(":");
    if (score !== undefined) return base === "auroc" || base === "fpr95";
    return COLLAPSE_METRICS.includes(name) || TEST.test(name) || (CALIBRATION.test(name) && !name.includes(":"));
  });
}

/** Returns how a table names a metric below the title of its section, with an arrow that says where it should go. */
export function rowLabelOf(name: string): string {
  const [base, variant, score] = name.split(":");
  const label =
    score === undefined ? labelOf(name) : `${labelOf(`${base}::`).split(" against")[0]!.replace(/, $/, "")}, ${score}`;
  return `${base === "jitter" ? `${label}, ${variant}` : label} ${directionOf(name)}`.trim();
}

/** Returns what people call a metric. */
export function labelOf(name: string): string {
  return metricOf(name)?.label ?? name;
}

/** Returns a label short enough for an axis: "NC1", "AUROC gmm · mnist". */
export function shortLabelOf(name: string): string {
  const [base, set, score] = name.split(":");
  if (score !== undefined) return `${(metricOf(name)?.label ?? base!).split(",")[0]}, ${score} · ${set}`;
  return SHORT[name] ?? labelOf(name);
}

const SHORT: Readonly<Record<string, string>> = {
  nc1: "NC1 variability",
  nc2_equinorm_means: "NC2 equinorm, means",
  nc2_equinorm_classifiers: "NC2 equinorm, classifiers",
  nc2_equiangular_means: "NC2 equiangular, means",
  nc2_equiangular_classifiers: "NC2 equiangular, classifiers",
  nc3: "NC3 self-duality",
  nc4_error: "NC4 nearest mean ≠ label",
  nc4_mismatch: "NC4 nearest mean ≠ network",
};

/** Returns an arrow that says where a metric should go; none where it only describes. */
export function directionOf(name: string): string {
  return { lower: "↓", higher: "↑", neither: "" }[metricOf(name)?.better ?? "neither"];
}
