import type { Command } from "commander";
import type { RunList, RunMetrics } from "../api/contract.ts";
import { METRICS } from "../metrics/names.ts";
import type { Connection } from "./connection.ts";
import { type OutputOptions, print } from "./output.ts";
import { sparkline } from "./sparkline.ts";
import { formatNumber, formatTable } from "./table.ts";

interface Options extends OutputOptions {
  readonly experiment?: string;
  readonly group?: string;
}

/** The metrics a terminal has room for. */
const SHOWN = ["nc1", "nc2_equinorm_means", "nc2_equiangular_means", "nc3", "nc4_error", "accuracy", "ncc_accuracy"];

/** Defines `runs`: the recorded runs, or the metrics of one. */
export function define(command: Command): void {
  command
    .argument("[run]", "id of a run")
    .option("--experiment <name>", "only runs of this experiment")
    .option("--group <name>", "only runs of this group")
    .action(async (run: string | undefined, options: Options) => {
      const { withConnection } = await import("./connection.ts");
      await withConnection("collapsar runs", async (connection) => {
        if (run === undefined) print(await allRuns(connection, options), options, formatRuns, namesOf);
        else print(await metricsOf(connection, run), options, formatRun);
      });
    });
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

const namesOf = (runs: RunList["items"]) => runs.map(({ id }) => id).join("\n");

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
  const table = formatTable(
    [{ heading: "epoch" }, { heading: "dataset", align: "left" }, ...names.map((heading) => ({ heading }))],
    metrics.map(({ epoch, dataset, values }) => [
      formatNumber(epoch),
      dataset,
      ...names.map((name) => formatNumber(values[name] ?? null)),
    ]),
  );
  return metrics.length > 1 ? `${table}\n\n${trajectories(names, metrics)}` : table;
}

/** A bar per epoch for each metric, and where it begins and ends; values of different datasets are not mixed. */
function trajectories(names: readonly string[], metrics: RunMetrics["metrics"]): string {
  const last = metrics.at(-1)!.dataset;
  const of = metrics.filter(({ dataset }) => dataset === last);
  const columns = ["trajectory", "", "first → last"].map((heading) => ({ heading, align: "left" as const }));
  const rows = names.flatMap((name) => {
    const values = of.map(({ values }) => values[name] ?? null);
    const known = values.filter((value) => value !== null);
    const ends = [known[0] ?? null, known.at(-1) ?? null].map(formatNumber).join(" → ");
    return known.length > 1 ? [[name, sparkline(values), ends]] : [];
  });
  return formatTable(columns, rows);
}
