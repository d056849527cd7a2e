import { Command } from "commander";
import { toUrl } from "../config.ts";
import { CollapsarError } from "../errors.ts";
import { openByteSource } from "../evaluation/features/bytes.ts";
import { openFeatureFile } from "../evaluation/features/file.ts";
import type { Measured } from "../evaluation/measure.ts";
import { measure } from "../evaluation/measure.ts";
import { METRICS } from "../metrics/names.ts";
import { openStorage } from "../storage/open.ts";
import { jsonOption, print } from "./output.ts";
import { formatNumber, formatTable } from "./table.ts";

interface Options {
  readonly test?: string;
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
    .addOption(jsonOption())
    .action(async (file: string, { test, json }: Options) => {
      const { values, omitted } = await measureFiles(file, test);
      const flat = Object.keys(omitted).length > 0 ? { ...values, omitted } : values;
      print(flat, json, () => formatMetrics({ values, omitted }));
    });
}

async function measureFiles(trainFile: string, testFile: string | undefined): Promise<Measured> {
  const storage = openStorage({ fileRoots: null });
  const open = async (file: string) => openFeatureFile(await openByteSource(storage, toUrl(file)));
  const file = await open(trainFile);
  const classifier = await file.classifier();
  const train = await file.set(classifier);
  if (!train) throw new CollapsarError("wrong-shape", `no tensor "features" in ${trainFile}`);
  const test = testFile ? (await open(testFile)).set(classifier) : file.set(classifier, "test_");
  return measure(train, await test, classifier);
}

/** Returns the metrics as a table of names and values, and a line for each that could not be taken. */
export function formatMetrics({ values, omitted }: Measured): string {
  const order = Object.keys(METRICS);
  const sorted = Object.entries(values).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const rows = sorted.map(([name, value]) => [name, formatNumber(value), METRICS[name]?.label ?? ""]);
  const columns = [{ heading: "metric", align: "left" }, { heading: "value" }, { heading: "", align: "left" }] as const;
  const notes = Object.entries(omitted).map(([name, reason]) => `${name}: left out, ${reason}`);
  return [formatTable(columns, rows), ...notes].join("\n");
}
