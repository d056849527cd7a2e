import type { Aggregate } from "../../api/contract.ts";
import { withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { formatMean } from "../format.ts";
import { labelOf, metricSections, rowLabelOf } from "../metricSections.ts";
import { Answered } from "../parts/answered.tsx";
import { type Column, DataTable, intervalParts } from "../tables/dataTable.tsx";
import { rowsOf, type Scope } from "./scope.ts";

type Row = Aggregate["rows"][number];

/** A line of the table: a metric, and what each group has of it. */
interface Line {
  readonly metric: string;
  readonly section: string;
  readonly groups: ReadonlyMap<string | null, Row>;
}

/** Every metric of every shown group: mean over the seeds ± half of its 95 % interval. */
export function GroupTable({ scope }: { readonly scope: Scope }) {
  const { experiment, by, dataset, epoch } = scope;
  const answer = useAnswer<Aggregate>(
    withQuery("/aggregate", { experiment, by, dataset, epoch, metrics: scope.tableMetrics.join(",") }),
    { inTurn: true },
  );
  return (
    <section aria-labelledby="groups">
      <h2 id="groups">Groups</h2>
      <Answered answer={answer}>
        {({ rows }) => {
          const own = rowsOf(rows, scope);
          return (
            <>
              <DataTable
                caption={`Mean ± half of the 95 % interval, ${epoch === "last" ? "last epoch" : epoch}`}
                fileName={`${experiment}-groups`}
                columns={columnsOf(scope)}
                rows={linesOf(own)}
                keyOf={({ metric }) => metric}
                sectionOf={({ section }) => section}
                empty="No run of the shown groups has this epoch."
              />
              <Lacks rows={own} />
            </>
          );
        }}
      </Answered>
    </section>
  );
}

function linesOf(rows: readonly Row[]): Line[] {
  const byMetric = Map.groupBy(rows, ({ metric }) => metric);
  return metricSections([...byMetric.keys()]).flatMap(({ title, names }) =>
    names.map((metric) => ({
      ...{ metric, section: title },
      groups: new Map(byMetric.get(metric)!.map((row) => [row.group, row])),
    })),
  );
}

function columnsOf({ groups }: Scope): Column<Line>[] {
  const shown = groups.filter(({ isShown }) => isShown);
  return [
    {
      heading: "Metric",
      value: ({ metric }) => metric,
      text: ({ metric }) => rowLabelOf(metric),
      show: ({ metric }) => <span title={metric}>{rowLabelOf(metric)}</span>,
    },
    ...shown.map(
      ({ key, name, runs }): Column<Line> => ({
        heading: name,
        value: (line) => line.groups.get(key)?.mean ?? null,
        text: (line) => cellOf(line.groups.get(key), runs),
        parts: [
          { heading: `${name} mean`, value: (line) => line.groups.get(key)?.mean ?? null },
          ...intervalParts<Line>(name, (line) => line.groups.get(key)?.ci95 ?? null),
          { heading: `${name} n`, value: (line) => line.groups.get(key)?.n ?? null },
        ],
      }),
    ),
  ];
}

/** A cell of fewer values than the group has runs says how many. */
function cellOf(row: Row | undefined, runs: number): string {
  if (!row) return "–";
  const text = formatMean(row.mean, row.ci95?.[0], row.ci95?.[1]);
  return row.n === runs ? text : `${text} (n ${row.n})`;
}

function Lacks({ rows }: { readonly rows: readonly Row[] }) {
  const lacks = rows.flatMap(({ metric, missing }) => missing.map(({ run, reason }) => ({ metric, run, reason })));
  const differing = rows.some(({ epochsDiffer }) => epochsDiffer);
  if (lacks.length === 0 && !differing) return null;
  return (
    <details class="lacks">
      <summary>
        {differing && "Runs end at different epochs. "}
        {lacks.length > 0 && `${lacks.length} values are missing.`}
      </summary>
      <ul>
        {lacks.slice(0, 200).map(({ metric, run, reason }) => (
          <li key={`${metric} ${run}`}>
            {labelOf(metric)}, <a href={`/ui/runs/${encodeURIComponent(run)}`}>{run}</a>: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}
