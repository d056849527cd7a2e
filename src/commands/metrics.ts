import { type Command, Option } from "commander";
import { jitterOption } from "./options.ts";
import type { OutputOptions } from "./output.ts";

/** What the options of `metrics` give. */
export interface MetricsOptions extends OutputOptions {
  readonly validation?: string;
  readonly test?: string;
  readonly ood: readonly string[];
  readonly jitter?: number;
}

/** Defines `metrics`: all metrics of a features file. */
export function define(command: Command): void {
  command
    .argument(
      "<file>",
      "safetensors with features (N×D), logits (N×C), labels (N), weight (C×D), bias (C); path or URL",
    )
    .option("--test <file>", "features file of the test set (default: the tensors test_… of <file>, where it has them)")
    .option("--validation <file>", "… of the part the temperature is fitted on (default: val_… of <file>)")
    .addOption(
      new Option("--ood <file>", "… of an out-of-distribution set, repeatable")
        .default([], "ood_… of <file>")
        .argParser((path: string, before: readonly string[]) => [...before, path]),
    )
    .addOption(jitterOption())
    .action(async (file: string, options: MetricsOptions) =>
      (await import("./actions/metrics.ts")).printMetrics(file, options),
    );
}
