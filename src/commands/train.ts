import type { Command } from "commander";
import { type OodSets, oodOption, wholeNumber } from "./options.ts";
import type { OutputOptions } from "./output.ts";
import { addRecipeOptions, type RecipeOptions } from "./trainRecipes.ts";

/** What the options of `train` give. */
export interface TrainOptions extends RecipeOptions, OutputOptions {
  readonly to?: string;
  readonly evaluate?: string | true;
  readonly ood: OodSets;
  readonly concurrency?: number;
  readonly dryRun?: boolean;
}

/** Defines `train`: networks from several seeds, in parallel, a checkpoint pushed after every epoch. */
export function define(command: Command): void {
  addRecipeOptions(command)
    .option("--to <url>", "s3://bucket/prefix or a folder to push to (default: COLLAPSAR_STORE)")
    .option(
      "--evaluate [url]",
      "submit every checkpoint to the service at this URL (default: the one that has the database, or one here)",
    )
    .addOption(oodOption())
    .option(
      "--concurrency <runs>",
      "runs trained at a time (default: as many as cores and memory take)",
      wholeNumber(1),
    )
    .option("--dry-run", "print what would be done, and an estimate of what it costs")
    .action(async (options: TrainOptions, command: Command) =>
      (await import("./actions/train.ts")).planOrTrain(options, command),
    );
}
