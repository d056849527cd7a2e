import type { Command } from "commander";
import type { Comparison } from "../api/contract.ts";
import { formatMean, partName } from "./groupTable.ts";
import { describeLacks, describeReasons } from "./lacks.ts";
import { inMetricOrder } from "./metricOrder.ts";
import { addSelectionOptions, ask, metricsOption, ONE_EPOCH, type SelectionOptions } from "./selection.ts";
import { formatNumber, formatTable } from "./table.ts";

interface Options extends SelectionOptions {
  readonly metrics?: string;
}

type Row = Comparison["rows"][number];

/** Defines `compare`: the tests of two groups, metric by metric. */
export function define(command: Command): void {
  command.argument("<a>", "a group, as --by names it").argument("<b>", "another").addOption(metricsOption());
  addSelectionOptions(command, ONE_EPOCH).action((a: string, b: string, options: Options) => {
    const query = { ...options, a, b };
    return ask<Comparison>("compare", "/compare", query, ({ rows, ...groups }) =>
      formatComparison({ ...groups, rows: inMetricOrder(rows, options.metrics) }),
    );
  });
}

/**
 * Returns a comparison as a table: a row per metric; p-values are two-sided and corrected by Holm over all rows of the
 * answer. Sets or protocols that must not mix are tables of their own.
 */
export function formatComparison({ a, b, rows }: Comparison): string {
  if (rows.length === 0) return "no such metric";
  const parts = Map.groupBy(rows, partName);
  const tables = [...parts].map(([part, members]) => `${part}\n${formatPart(members, a, b)}`);
  const tests =
    "Means and their difference ± 95 % interval; p two-sided, after Holm's correction over all rows, of which --metrics makes fewer.";
  return [...tables, tests].join("\n\n");
}

function formatPart(rows: readonly Row[], a: string, b: string): string {
  const headings = [a, b, `${a} − ${b}`, "p Welch", "pairs", "p paired t", "p Wilcoxon", "Hedges' g"];
  const table = formatTable(
    [{ heading: "metric", align: "left" }, ...headings.map((heading) => ({ heading }))],
    rows.map(({ metric, a, b, sharedSeeds, welch, paired, wilcoxon, hedges }) => [
      ...[metric, formatSide(a), formatSide(b)],
      formatMean({ mean: welch.difference, ci95: welch.ci95 }),
      ...[formatNumber(welch.pHolm), String(sharedSeeds.length)],
      ...[formatNumber(paired.pHolm), formatNumber(wilcoxon.pHolm), formatNumber(hedges.g)],
    ]),
  );
  return [table, ...notes(rows, a, b)].join("\n");
}

const formatSide = (side: Row["a"]) => `${formatMean(side)} (n=${side.n})`;

function notes(rows: readonly Row[], a: string, b: string): string[] {
  const lacks = rows.flatMap(({ metric, ...sides }) => [
    ...sides.a.missing.map((missing) => ({ ...missing, metric, group: a })),
    ...sides.b.missing.map((missing) => ({ ...missing, metric, group: b })),
  ]);
  const tests = {
    "Welch's test": "welch",
    "paired t test": "paired",
    "Wilcoxon's test": "wilcoxon",
    g: "hedges",
  } as const;
  const untested = Object.entries(tests).flatMap(([test, key]) =>
    describeReasons(
      `no ${test} of`,
      rows.map((row) => ({ metric: row.metric, reason: row[key].reason })),
    ),
  );
  return [...describeLacks(lacks), ...untested];
}
