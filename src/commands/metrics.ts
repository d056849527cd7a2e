import { Command } from "commander";
import { toUrl } from "../config.ts";
import { CollapsarError } from "../errors.ts";
import { openByteSource } from "../evaluation/features/bytes.ts";
import { type FeatureFile, openFeatureFile } from "../evaluation/features/file.ts";
import type { FeatureSets, Measured } from "../evaluation/measure.ts";
import { measure } from "../evaluation/measure.ts";
import { METRICS, metricOf } from "../metrics/names.ts";
import type { FeatureSet } from "../metrics/rows.ts";
import { openStorage } from "../storage/open.ts";
import { jitterOption } from "./options.ts";
import { jsonOption, print } from "./output.ts";
import { formatNumber, formatTable } from "./table.ts";

interface Options {
  readonly validation?: string;
  readonly test?: string;
  readonly ood: readonly string[];
  readonly jitter?: number;
  readonly json?: boolean;
}

/** Returns the command `metrics`: all metrics of a features file. */
export function metricsCommand(): Command {
  return new Command("metrics")
    .description("Print all metrics of a features file (see extract).")
    .argument(
      "<file>",
      "safetensors with features (N×D), logits (N×C), labels (N), weight (C×D), bias (C); path or URL",
    )
    .option("--test <file>", "features file of the test set (default: the tensors test_… of <file>, where it has them)")
    .option("--validation <file>", "… of the part the temperature is fitted on (default: val_… of <file>)")
    .option("--ood <file>", "… of an out-of-distribution set, repeatable (default: ood_… of <file>)", collect, [])
    .addOption(jitterOption())
    .addOption(jsonOption())
    .action(async (file: string, { json, ...options }: Options) => {
      const measured = await measureFiles(file, options);
      print(nested(measured), json, () => formatMetrics(measured));
    });
}

async function measureFiles(trainFile: string, { test, validation, ood, jitter }: Options): Promise<Measured> {
  const storage = openStorage({ fileRoots: null });
  const opened: FeatureFile[] = [];
  const open = async (path: string) => {
    const file = await openFeatureFile(await openByteSource(storage, toUrl(path)));
    opened.push(file);
    return file;
  };
  try {
    const file = await open(trainFile);
    const classifier = await file.classifier();
    const setOf = async (path: string | undefined, prefix: string) =>
      path ? requireSet(await (await open(path)).set(classifier), path) : file.set(classifier, prefix);
    const named = await Promise.all(
      ood.map(async (path) => ({ name: baseName(path), group: null, set: (await setOf(path, ""))! })),
    );
    const own = named.length === 0 ? await setOf(undefined, "ood_") : null;
    const sets: FeatureSets = {
      train: requireSet(await file.set(classifier), trainFile),
      test: await setOf(test, "test_"),
      validation: validation
        ? await (await open(validation)).logits(classifier)
        : await file.logits(classifier, "val_"),
      ood: own ? [{ name: "ood", group: null, set: own }] : named,
    };
    return await measure(sets, classifier, { jitter });
  } finally {
    for (const file of opened) await file.close();
  }
}

function requireSet(set: FeatureSet | null, path: string): FeatureSet {
  if (set) return set;
  throw new CollapsarError("wrong-shape", `no tensor "features" in ${path}`);
}

function baseName(path: string): string {
  return path.replace(/^.*[/\\]/s, "").replace(/\.safetensors$/, "");
}

const collect = (path: string, before: readonly string[]) => [...before, path];

type Nested = { [key: string]: number | Nested };

/** The measures of calibration, by the names they have flattened. */
const CALIBRATION = new Set(["nll", "ece", "adaptive_ece", "brier", "val_nll", "temperature"]);

/**
 * Returns the metrics as `--json` prints them: those of OoD detection as `ood.SET.SCORE.MEASURE`, those of calibration as
 * `calibration.before.ece`, `calibration.after_nll_optimum.ece`, …
 */
export function nested({ values, omitted }: Pick<Measured, "values" | "omitted">): object {
  const tree: Nested = {};
  const ood: Nested = {};
  const calibration: Nested = {};
  const branch = (parent: Nested, key: string) => {
    parent[key] ??= {};
    return parent[key] as Nested;
  };
  for (const [name, value] of Object.entries(values)) {
    const [measure, set, score] = name.split(":") as [string, string?, string?];
    if (set !== undefined && score !== undefined) branch(branch(ood, set), score)[measure] = value;
    else if (CALIBRATION.has(measure)) branch(calibration, set ?? "before")[measure] = value;
    else tree[name] = value;
  }
  for (const scores of Object.values(ood))
    for (const [score, measures] of Object.entries(scores)) {
      const jitter = values[`jitter:${score}`];
      if (jitter !== undefined) (measures as unknown as Nested).jitter = jitter;
    }
  if (calibration.before && values.accuracy !== undefined) calibration.accuracy = values.accuracy;
  return {
    ...tree,
    ...(Object.keys(ood).length > 0 && { ood }),
    ...(Object.keys(calibration).length > 0 && { calibration }),
    ...(Object.keys(omitted).length > 0 && { omitted }),
  };
}

/** Returns the metrics as a table of names and values, and a line for each reason why some could not be taken. */
export function formatMetrics({ values, omitted }: Pick<Measured, "values" | "omitted">): string {
  const order = Object.keys(METRICS);
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const sorted = Object.entries(values).sort(([a], [b]) => place(a) - place(b));
  const rows = sorted.map(([name, value]) => [name, formatNumber(value), metricOf(name)?.label ?? ""]);
  const columns = [{ heading: "metric", align: "left" }, { heading: "value" }, { heading: "", align: "left" }] as const;
  const reasons = Map.groupBy(Object.entries(omitted), ([, reason]) => reason);
  const notes = [...reasons].map(([reason, names]) => `${names.map(([name]) => name).join(", ")}: left out, ${reason}`);
  return [formatTable(columns, rows), ...notes].join("\n");
}
