import type { Command } from "commander";
import type { EvaluationRequest } from "../evaluation/request.ts";
import { MAX_SHARDS } from "../evaluation/shards/limit.ts";
import {
  CHECKPOINT_HELP,
  deviceOption,
  engineOption,
  jitterOption,
  networkOption,
  oodOption,
  wholeNumber,
} from "./options.ts";
import type { OutputOptions } from "./output.ts";

type Asked = "dataset" | "test" | "validation" | "jitter" | "network" | "engine" | "device" | "shards" | "force";

/** What the options of `evaluate` give. */
export interface EvaluateOptions extends Pick<EvaluationRequest, Asked>, OutputOptions {
  readonly ood: NonNullable<EvaluationRequest["ood"]>;
  readonly run?: string;
  readonly epoch?: number;
}

/** Defines `evaluate`: the whole story for one checkpoint, recorded. */
export function define(command: Command): void {
  command
    .argument("<checkpoint>", CHECKPOINT_HELP)
    .option(
      "--dataset <name>",
      "training set: digits, fashion-mnist, …, a path or URL (default: what the checkpoint says)",
    )
    .option("--test <name>", "test set (default: the test part of a named dataset)")
    .option(
      "--validation <name>",
      "what the temperature is fitted on (default: the part a network of ours did not see)",
    )
    .addOption(oodOption())
    .addOption(jitterOption())
    .option("--run <id>", "run it belongs to (default: what the checkpoint says)")
    .option("--epoch <n>", "epoch it was taken after (default: what the checkpoint says)", wholeNumber(0))
    .addOption(networkOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .option(
      "--shards <n>",
      "jobs that share the images, on whatever workers the database has",
      wholeNumber(1, MAX_SHARDS),
    )
    .option("--force", "compute anew even if this was evaluated before")
    .action(async (checkpoint: string, options: EvaluateOptions) =>
      (await import("./actions/evaluate.ts")).evaluateOne(checkpoint, options),
    );
}
