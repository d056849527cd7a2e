import { Command, Option } from "commander";
import type { Aggregate } from "../api/contract.ts";
import { readConfig } from "../config.ts";
import { withConnection } from "./connection.ts";
import { formatGroups } from "./groupTable.ts";
import { jsonOption, print } from "./output.ts";

interface Options {
  readonly by: string;
  readonly experiment?: string;
  readonly metrics?: string;
  readonly epoch: string;
  readonly dataset?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** Returns the command `aggregate`: every metric per group over its seeds. */
export function aggregateCommand(): Command {
  return new Command("aggregate")
    .description(
      "Print mean ± 95 % interval over the seeds of each group (--json, --csv: n, sd, se, median, each seed).",
    )
    .option("--by <key>", "group, experiment, seed or the key of a label", "group")
    .option("--experiment <name>", "only runs of this experiment")
    .option("--metrics <names>", "comma-separated, for example nc1,nc3 (default: all)")
    .option("--epoch <epoch>", "last (each run's own), all, or a number", "last")
    .option("--dataset <name>", "only evaluations on this dataset")
    .addOption(new Option("--csv", "print CSV, at full precision").conflicts("json"))
    .addOption(jsonOption())
    .action(({ csv, json, ...query }: Options) =>
      withConnection(readConfig(), "collapsar aggregate", async (connection) => {
        const path = `/aggregate?${new URLSearchParams({ ...query, format: csv ? "csv" : "json" })}`;
        if (csv) process.stdout.write(await connection.request<string>(path));
        else print(await connection.request<Aggregate>(path), json, formatGroups);
      }),
    );
}
