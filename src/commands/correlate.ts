import type { Command } from "commander";
import type { Correlations } from "../api/contract.ts";
import { partName } from "./groupTable.ts";
import { describeLacks, describeReasons } from "./lacks.ts";
import { addSelectionOptions, ask, ONE_EPOCH, type SelectionOptions } from "./selection.ts";
import { formatNumber, formatTable } from "./table.ts";

type Row = Correlations["rows"][number];

/** Defines `correlate`: how two metrics go together over runs. */
export function define(command: Command): void {
  command
    .argument("<x>", "a metric, for example nc1")
    .argument("<y>", "another, for example auroc:fashion-mnist:test:energy");
  addSelectionOptions(command, ONE_EPOCH).action((x: string, y: string, options: SelectionOptions) => {
    const query = { ...options, x, y };
    return ask<Correlations>("correlate", "/correlations", query, formatCorrelations);
  });
}

/** Returns correlations as a table: a row for all runs and for each group. Sets and protocols are tables of their own. */
export function formatCorrelations({ x, y, rows }: Correlations): string {
  if (rows.length === 0) return "no evaluated runs";
  return rows.map((row) => `${x} and ${y} on ${partName(row)}\n${formatRow(row)}`).join("\n\n");
}

function formatRow(row: Row): string {
  const lines = [
    { ...row, name: "all runs" },
    ...row.groups.map((group) => ({ ...group, name: group.group ?? "(no group)" })),
  ];
  const headings = ["runs", "Pearson r", "p", "Spearman ρ", "p"];
  const table = formatTable(
    [{ heading: "over", align: "left" }, ...headings.map((heading) => ({ heading }))],
    lines.map(({ name, n, pearson, spearman }) => [
      ...[name, String(n)],
      ...[formatCoefficient(pearson), formatNumber(pearson.p)],
      ...[formatCoefficient(spearman), formatNumber(spearman.p)],
    ]),
  );
  const reasons = lines.map(({ name, pearson }) => ({ metric: name, reason: pearson.reason }));
  return [table, ...describeReasons("no coefficient over", reasons), ...describeLacks(row.missing)].join("\n");
}

function formatCoefficient({ r, ci95 }: Row["pearson"]): string {
  return ci95 ? `${formatNumber(r)} [${ci95.map(formatNumber).join(", ")}]` : formatNumber(r);
}
