import type { Command } from "commander";
import type { EngineChoice } from "../engines/open.ts";
import { CHECKPOINT_HELP, deviceOption, engineOption, networkOption } from "./options.ts";
import type { OutputOptions } from "./output.ts";

/** What the options of `extract` give. */
export interface ExtractOptions extends EngineChoice, OutputOptions {
  readonly dataset: string;
  readonly out: string;
  readonly network: Record<string, string>;
}

/** Defines `extract`: the penultimate features of a checkpoint over a dataset, as a safetensors file. */
export function define(command: Command): void {
  command
    .argument("<checkpoint>", CHECKPOINT_HELP)
    .requiredOption("--dataset <name>", "digits, digits:test, fashion-mnist, … or the path or URL of a file of images")
    .requiredOption("--out <file>", "where to write: path or URL of a safetensors file")
    .addOption(networkOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .action(async (checkpoint: string, options: ExtractOptions) =>
      (await import("./actions/extract.ts")).extractTo(checkpoint, options),
    );
}
