import type { RunMetrics } from "../../api/contract.ts";
import { formatNumber } from "../format.ts";
import { metricSections, rowLabelOf } from "../metricSections.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";
import { Sparkline } from "./sparkline.tsx";

type Checkpoint = RunMetrics["metrics"][number];

/** A run of more checkpoints shows as many of them, evenly chosen; the CSV of all numbers has every one. */
const MOST_COLUMNS = 7;

interface Line {
  readonly metric: string;
  readonly section: string;
}

interface MetricTableProps {
  readonly run: string;
  readonly checkpoints: readonly Checkpoint[];
  readonly names: readonly string[];
}

/** Every metric of a run by what it is about: its course over the checkpoints, and its values. */
export function MetricTable({ run, checkpoints, names }: MetricTableProps) {
  const rows = metricSections(names).flatMap(({ title, names: own }) =>
    own.map((metric) => ({ metric, section: title })),
  );
  const shown = evenly(checkpoints, MOST_COLUMNS);
  const columns: Column<Line>[] = [
    {
      heading: "Metric",
      value: ({ metric }) => metric,
      text: ({ metric }) => rowLabelOf(metric),
      show: ({ metric }) => <span title={metric}>{rowLabelOf(metric)}</span>,
    },
    ...(checkpoints.length > 2 ? [courseColumn(checkpoints)] : []),
    ...shown.map(
      (checkpoint): Column<Line> => ({
        heading: headingOf(checkpoint),
        value: ({ metric }) => checkpoint.values[metric] ?? null,
        text: ({ metric }) => formatNumber(checkpoint.values[metric]),
      }),
    ),
  ];
  const left = checkpoints.length - shown.length;
  return (
    <section aria-labelledby="metrics">
      <h2 id="metrics">Metrics</h2>
      <DataTable
        caption={left > 0 ? `${shown.length} of ${checkpoints.length} checkpoints` : "Every checkpoint"}
        fileName={`${run}-metrics`}
        columns={columns}
        rows={rows}
        keyOf={({ metric }) => metric}
        sectionOf={({ section }) => section}
      />
    </section>
  );
}

function courseColumn(checkpoints: readonly Checkpoint[]): Column<Line> {
  const lastOf = ({ metric }: Line) => checkpoints.at(-1)!.values[metric] ?? null;
  return {
    heading: "Course",
    title: "all checkpoints, in order of epoch",
    value: lastOf,
    text: (line) => formatNumber(lastOf(line)),
    show: ({ metric }) => <Sparkline values={checkpoints.map(({ values }) => values[metric] ?? null)} />,
  };
}

function headingOf({ epoch, checkpoint }: Checkpoint): string {
  return epoch === null ? checkpoint.sha256.slice(0, 8) : `epoch ${epoch}`;
}

/** Returns at most `most` of the items, the first and the last among them. */
function evenly<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]!);
}
