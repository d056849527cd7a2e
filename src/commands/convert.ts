import { type Command, Option } from "commander";
import { CHECKPOINT_HELP, networkOption } from "./options.ts";
import type { OutputOptions } from "./output.ts";

/** What the options of `convert` give. */
export interface ConvertOptions extends OutputOptions {
  readonly to: "onnx" | "safetensors";
  readonly out: string;
  readonly input: "pixels" | "normalised";
  readonly network: Record<string, string>;
}

/** Defines `convert`: a checkpoint in another format. */
export function define(command: Command): void {
  command
    .argument("<checkpoint>", CHECKPOINT_HELP)
    .addOption(new Option("--to <format>", "what to write").choices(["onnx", "safetensors"]).makeOptionMandatory())
    .requiredOption("--out <file>", "where to write: path or URL")
    .addOption(
      new Option(
        "--input <kind>",
        "what the ONNX graph takes: N×C×H×W float32, or N×H×W×C uint8 that it normalises itself",
      )
        .choices(["normalised", "pixels"])
        .default("normalised"),
    )
    .addOption(networkOption())
    .action(async (checkpoint: string, options: ConvertOptions) =>
      (await import("./actions/convert.ts")).convert(checkpoint, options),
    );
}
