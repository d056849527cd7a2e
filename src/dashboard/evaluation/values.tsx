import { path, withQuery } from "../answers/request.ts";
import { formatNumber } from "../format.ts";
import { labelOf, metricSections, rowLabelOf } from "../metricSections.ts";
import { type Column, DataTable } from "../tables/dataTable.tsx";

interface ValuesProps {
  readonly id: string;
  readonly values: Readonly<Record<string, number>>;
  readonly omitted: Readonly<Record<string, string>>;
}

interface Line {
  readonly metric: string;
  readonly section: string;
  readonly value: number;
}

/** Every number of an evaluation by what it is about, and what could not be taken. */
export function Values({ id, values, omitted }: ValuesProps) {
  const rows = metricSections(Object.keys(values)).flatMap(({ title, names }) =>
    names.map((metric) => ({ metric, section: title, value: values[metric]! })),
  );
  const left = Object.entries(omitted);
  return (
    <section aria-labelledby="values">
      <h2 id="values">All numbers</h2>
      <DataTable
        caption="Metrics"
        fileName={`evaluation-${id}`}
        columns={COLUMNS}
        rows={rows}
        keyOf={({ metric }) => metric}
        sectionOf={({ section }) => section}
      />
      {left.length > 0 && (
        <details class="lacks" open={left.length < 8}>
          <summary>{left.length} could not be taken</summary>
          <ul>
            {left.map(([name, reason]) => (
              <li key={name}>
                {labelOf(name)}: {reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      <p class="note">
        As JSON: <code>{withQuery(path`/evaluations/${id}`, {})}</code>
      </p>
    </section>
  );
}

const COLUMNS: readonly Column<Line>[] = [
  {
    heading: "Metric",
    value: ({ metric }) => metric,
    text: ({ metric }) => rowLabelOf(metric),
  },
  { heading: "Name in the API", value: ({ metric }) => metric, show: ({ metric }) => <code>{metric}</code> },
  { heading: "Value", value: ({ value }) => value, text: ({ value }) => formatNumber(value) },
];
