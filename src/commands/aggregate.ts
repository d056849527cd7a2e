import { Command } from "commander";
import type { Aggregate } from "../api/contract.ts";
import { formatGroups } from "./groupTable.ts";
import { addSelectionOptions, ask, metricsOption, ONE_EPOCH, type SelectionOptions } from "./selection.ts";

interface Options extends SelectionOptions {
  readonly metrics?: string;
}

/** Returns the command `aggregate`: every metric per group over its seeds. */
export function aggregateCommand(): Command {
  const command = new Command("aggregate")
    .description(
      "Print mean ± 95 % interval over the seeds of each group (--json, --csv: n, sd, se, median, each seed).",
    )
    .addOption(metricsOption());
  return addSelectionOptions(command, `${ONE_EPOCH}, or all`).action((options: Options) =>
    ask<Aggregate>("aggregate", "/aggregate", options, formatGroups),
  );
}
