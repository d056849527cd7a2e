import type { Command } from "commander";
import type { Aggregate } from "../api/contract.ts";
import { formatGroups } from "./groupTable.ts";
import { inMetricOrder } from "./metricOrder.ts";
import { addSelectionOptions, ask, metricsOption, ONE_EPOCH, type SelectionOptions } from "./selection.ts";

interface Options extends SelectionOptions {
  readonly metrics?: string;
}

/** Defines `aggregate`: every metric per group over its seeds. */
export function define(command: Command): void {
  command.addOption(metricsOption());
  addSelectionOptions(command, `${ONE_EPOCH}, or all`).action((options: Options) =>
    ask<Aggregate>("aggregate", "/aggregate", options, ({ rows }) =>
      formatGroups({ rows: inMetricOrder(rows, options.metrics) }),
    ),
  );
}
