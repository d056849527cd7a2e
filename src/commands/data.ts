import { Argument, type Command } from "commander";
import { CATALOGUE_NAMES, type CatalogueName } from "../datasets/catalogue.ts";
import type { OutputOptions } from "./output.ts";

/** Defines `data`: which datasets are here, and adding the files of one. */
export function define(command: Command): void {
  command
    .command("list")
    .description("Tell which datasets are here, and where to get the others.")
    .action(async (output: OutputOptions) => (await import("./actions/data.ts")).listDatasets(output));
  command
    .command("add")
    .description("Check downloaded files of a dataset, and copy them to COLLAPSAR_DATA.")
    .addArgument(new Argument("<name>", "of the dataset").choices(CATALOGUE_NAMES))
    .argument("<files...>", "as they were downloaded")
    .action(async (name: CatalogueName, files: string[], output: OutputOptions) =>
      (await import("./actions/data.ts")).addDataset(name, files, output),
    );
}
