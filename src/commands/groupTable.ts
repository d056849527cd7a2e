import type { Aggregate } from "../api/contract.ts";
import { describeLacks } from "./lacks.ts";
import { formatNumber, formatTable } from "./table.ts";

type Row = Aggregate["rows"][number];

/**
 * Returns an aggregate as a table: a row per metric (and epoch, where all are asked for), a column per group, each cell
 * the mean over the seeds ± the half width of its 95 % interval. Sets or protocols that must not mix are tables of their
 * own. What is missing is told below.
 */
export function formatGroups({ rows }: Aggregate): string {
  if (rows.length === 0) return "no evaluated runs";
  const parts = Map.groupBy(rows, partName);
  return [...parts].map(([part, members]) => `${part}\n${formatPart(members)}`).join("\n\n");
}

/** Returns what the values of a part have in common: their dataset and the beginning of their protocol's digest. */
export function partName({ dataset, protocol }: Pick<Row, "dataset" | "protocol">): string {
  return `${dataset} (protocol ${protocol.slice(0, 8)})`;
}

function formatPart(rows: readonly Row[]): string {
  const groups = Map.groupBy(rows, ({ group }) => group);
  const isPerEpoch = [...groups.values()].some((members) => members[0]!.metric === members[1]?.metric);
  const lines = Map.groupBy(rows, ({ metric, epochs }) => (isPerEpoch ? `${metric}, epoch ${epochs[0]}` : metric));
  const columns = [...groups].map(([group, members]) => ({
    group,
    n: Math.max(...members.map(({ n }) => n)),
    members,
  }));
  const table = formatTable(
    [{ heading: "metric", align: "left" }, ...columns.map((column) => ({ heading: headingOf(column, isPerEpoch) }))],
    [...lines].map(([name, members]) => [
      name,
      ...columns.map(({ group, n }) =>
        formatCell(
          members.find((row) => row.group === group),
          n,
        ),
      ),
    ]),
  );
  const lacks = rows.flatMap(({ group, metric, missing }) => missing.map((lack) => ({ ...lack, group, metric })));
  return [table, ...describeLacks(lacks)].join("\n");
}

function headingOf(
  { group, n, members }: { readonly group: string | null; readonly n: number; readonly members: readonly Row[] },
  isPerEpoch: boolean,
): string {
  const epochs = [...new Set(members.flatMap((row) => row.epochs))].filter((epoch) => epoch !== null);
  const name = `${group ?? "(no group)"} n=${n}`;
  return isPerEpoch || epochs.length === 0 ? name : `${name} epoch ${epochs.join("/")}`;
}

/** A cell of fewer values than the heading says states how many. */
function formatCell(row: Row | undefined, n: number): string {
  if (!row) return "–";
  return row.n === n || row.n === 0 ? formatMean(row) : `${formatMean(row)} (n=${row.n})`;
}

/** Returns "mean ± half width of the 95 % interval", without the latter for a single seed. */
export function formatMean({ mean, ci95 }: Pick<Row, "mean" | "ci95">): string {
  if (mean === null || ci95 === null) return formatNumber(mean);
  return `${formatNumber(mean)} ± ${formatNumber((ci95[1] - ci95[0]) / 2)}`;
}
