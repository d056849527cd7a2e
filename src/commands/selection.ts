import { type Command, Option } from "commander";
import { type OutputOptions, print } from "./output.ts";

/** Which runs a question is about, and how the answer is printed. */
export interface SelectionOptions extends OutputOptions {
  readonly by: string;
  readonly experiment?: string;
  readonly epoch: string;
  readonly dataset?: string;
  readonly csv?: boolean;
}

/** Adds the options of every question about groups of runs, and returns the command; `epochs` tells which may be asked for. */
export function addSelectionOptions(command: Command, epochs: string): Command {
  return command
    .option("--by <key>", "group, experiment, seed or the key of a label", "group")
    .option("--experiment <name>", "only runs of this experiment")
    .option("--epoch <epoch>", epochs, "last")
    .option("--dataset <name>", "only evaluations on this dataset")
    .addOption(new Option("--csv", "print CSV, at full precision").conflicts("json"));
}

/** The epochs at which a run stands for itself once. */
export const ONE_EPOCH = "last (each run's own), a number, or best:METRIC (its earliest best; :min or :max says which)";

/** The option of a list of metrics. */
export const metricsOption = () =>
  new Option("--metrics <names>", "comma-separated, for example nc1,nc3 (default: all)");

/** Asks the API at `path` for the command of this name, and prints the answer as CSV, as JSON, or as the text that `format` makes of it. */
export async function ask<T>(
  command: string,
  path: `/${string}`,
  { csv, json, quiet, ...query }: SelectionOptions,
  format: (answer: T) => string,
): Promise<void> {
  const { withConnection } = await import("./connection.ts");
  return withConnection(`collapsar ${command}`, async (connection) => {
    const url = `${path}?${new URLSearchParams({ ...query, format: csv ? "csv" : "json" })}`;
    if (csv) process.stdout.write(await connection.request<string>(url));
    else print(await connection.request<T>(url), { json, quiet }, format);
  });
}
