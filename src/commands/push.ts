import type { Command } from "commander";
import { networkOption, type OodSets, oodOption, wholeNumber } from "./options.ts";
import type { OutputOptions } from "./output.ts";

/** What the options of `push` give. */
export interface PushOptions extends OutputOptions {
  readonly to?: string;
  readonly run?: string;
  readonly experiment?: string;
  readonly group?: string;
  readonly seed?: number;
  readonly epoch?: number;
  readonly dataset?: string;
  readonly network: Readonly<Record<string, string>>;
  readonly evaluate?: string | true;
  readonly ood: OodSets;
  readonly force?: boolean;
}

/** Defines `push`: a checkpoint of any training, stored where and as those of ours are. */
export function define(command: Command): void {
  const byFile = (text: string) => `${text} (default: what the checkpoint says)`;
  command
    .argument("<file>", "path or URL of a checkpoint: safetensors, a state_dict by torch.save, ONNX")
    .option("--run <id>", byFile("run it belongs to"))
    .option("--experiment <name>", byFile("experiment of the run"))
    .option("--group <name>", byFile("group of the run"))
    .option("--seed <n>", byFile("seed of the run"), wholeNumber(0))
    .option("--epoch <n>", byFile("epoch it was taken after"), wholeNumber(0))
    .option("--dataset <name>", byFile("what it was trained on"))
    .addOption(networkOption())
    .option("--to <url>", "s3://bucket/prefix or a folder (default: COLLAPSAR_STORE)")
    .option(
      "--evaluate [url]",
      "submit it to the service at this URL (default: the one that has the database; without one, evaluate it here)",
    )
    .addOption(oodOption())
    .option("--force", "replace a different checkpoint of the same name")
    .action(async (file: string, options: PushOptions) => (await import("./actions/push.ts")).push(file, options));
}
