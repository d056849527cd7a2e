import { Command } from "commander";
import type { RunList, RunMetrics } from "../api/contract.ts";
import { readConfig } from "../config.ts";
import { METRICS } from "../metrics/names.ts";
import { type Connection, withConnection } from "./connection.ts";
import { jsonOption, print } from "./output.ts";
import { formatNumber, formatTable } from "./table.ts";

interface Options {
  readonly experiment?: string;
  readonly group?: string;
  readonly json?: boolean;
}

/** The metrics a terminal has room for. */
const SHOWN = ["nc1", "nc2_equinorm_means", "nc2_equiangular_means", "nc3", "nc4_error", "accuracy", "ncc_accuracy"];

/** Returns the command `runs`: the recorded runs, or the metrics of one. */
export function runsCommand(): Command {
  return new Command("runs")
    .description("List the recorded runs, or the metrics of one run over its epochs.")
    .argument("[run]", "id of a run")
    .option("--experiment <name>", "only runs of this experiment")
    .option("--group <name>", "only runs of this group")
    .addOption(jsonOption())
    .action((run: string | undefined, options: Options) =>
      withConnection(readConfig(), "collapsar runs", async (connection) => {
        if (run === undefined) print(await allRuns(connection, options), options.json, formatRuns);
        else print(await metricsOf(connection, run), options.json, formatRun);
      }),
    );
}

function metricsOf(connection: Connection, run: string): Promise<RunMetrics> {
  return connection.request(`/runs/${encodeURIComponent(run)}/metrics`);
}

/** Returns the runs of all pages. */
async function allRuns(connection: Connection, { experiment, group }: Options): Promise<RunList["items"]> {
  const items: RunList["items"] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const asked = { experiment, group, limit: "1000", cursor: cursor || undefined };
    const query = new URLSearchParams(Object.entries(asked).filter((entry): entry is [string, string] => !!entry[1]));
    const page: RunList = await connection.request<RunList>(`/runs?${query}`);
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}

function formatRuns(runs: RunList["items"]): string {
  if (runs.length === 0) return "no runs are recorded yet: collapsar evaluate --help";
  const columns = ["run", "experiment", "group"].map((heading) => ({ heading, align: "left" as const }));
  return formatTable(
    [...columns, { heading: "seed" }, { heading: "checkpoints" }, { heading: "last epoch" }],
    runs.map(({ id, experiment, group, seed, checkpoints, lastEpoch }) => [
      ...[id, experiment ?? "–", group ?? "–"],
      ...[seed, checkpoints, lastEpoch].map(formatNumber),
    ]),
  );
}

function formatRun({ run, metrics }: RunMetrics): string {
  if (metrics.length === 0) return `run ${run} has no evaluated checkpoint`;
  const names = SHOWN.filter((name) => name in METRICS);
  return formatTable(
    [{ heading: "epoch" }, { heading: "dataset", align: "left" }, ...names.map((heading) => ({ heading }))],
    metrics.map(({ epoch, dataset, values }) => [
      formatNumber(epoch),
      dataset,
      ...names.map((name) => formatNumber(values[name] ?? null)),
    ]),
  );
}
