import type { Aggregate } from "../api/contract.ts";
import { formatNumber, formatTable } from "./table.ts";

type Row = Aggregate["rows"][number];

/**
 * Returns an aggregate as a table: a row per metric, a column per group, each cell the mean over the seeds ± the half
 * width of its 95 % interval. Sets or protocols that must not mix are tables of their own.
 */
export function formatGroups({ rows }: Aggregate): string {
  if (rows.length === 0) return "no evaluated runs";
  const parts = Map.groupBy(rows, (row) => `${row.dataset} (protocol ${row.protocol.slice(0, 8)})`);
  return [...parts].map(([part, members]) => `${part}\n${formatPart(members)}`).join("\n\n");
}

function formatPart(rows: readonly Row[]): string {
  const groups = [...new Set(rows.map(({ group }) => group))];
  const metrics = [...new Set(rows.map(({ metric }) => metric))];
  const heading = (group: string | null) => {
    const members = rows.filter((row) => row.group === group);
    const epochs = [...new Set(members.flatMap((row) => row.epochs))];
    return `${group ?? "(no group)"} n=${members[0]!.n}${epochs[0] === null ? "" : ` epoch ${epochs.join("/")}`}`;
  };
  const cell = (metric: string, group: string | null) => {
    const row = rows.find((candidate) => candidate.metric === metric && candidate.group === group);
    return row ? formatMean(row) : "–";
  };
  return formatTable(
    [{ heading: "metric", align: "left" }, ...groups.map((group) => ({ heading: heading(group) }))],
    metrics.map((metric) => [metric, ...groups.map((group) => cell(metric, group))]),
  );
}

/** Returns "mean ± half width of the 95 % interval", without the latter for a single seed. */
export function formatMean({ mean, ci95 }: Pick<Row, "mean" | "ci95">): string {
  if (mean === null || ci95 === null) return formatNumber(mean);
  return `${formatNumber(mean)} ± ${formatNumber((ci95[1] - ci95[0]) / 2)}`;
}
