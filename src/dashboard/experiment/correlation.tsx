import { useCallback, useMemo } from "preact/hooks";
import type { Correlations } from "../../api/contract.ts";
import { withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { Chart } from "../charts/chart.tsx";
import { drawScatter } from "../charts/scatter.ts";
import { formatInterval, formatNumber, formatP, groupLabel } from "../format.ts";
import { metricSections, shortLabelOf } from "../metricSections.ts";
import { Answered } from "../parts/answered.tsx";
import { Empty } from "../parts/empty.tsx";
import { useQuery } from "../query.ts";
import { type Column, DataTable, intervalParts } from "../tables/dataTable.tsx";
import { firstDetection, rowsOf, type Scope } from "./scope.ts";

type Row = Correlations["rows"][number];

/** Any metric against any other, a point per run; AUROC against NC1 first. */
export function Correlation({ scope }: { readonly scope: Scope }) {
  const [query, change] = useQuery();
  const x = query.x ?? "nc1";
  const y = query.y ?? firstDetection(scope.metrics) ?? "accuracy";
  const { experiment, by, dataset, epoch, metrics } = scope;
  const answer = useAnswer<Correlations>(withQuery("/correlations", { experiment, by, dataset, epoch, x, y }), {
    inTurn: true,
  });
  return (
    <section aria-labelledby="correlation">
      <div class="section-head">
        <h2 id="correlation">Correlation</h2>
        <MetricChoice label="x" value={x} metrics={metrics} onChange={(value) => change({ x: value })} />
        <MetricChoice label="y" value={y} metrics={metrics} onChange={(value) => change({ y: value })} />
      </div>
      <Answered answer={answer}>
        {({ rows }) => {
          const [row] = rowsOf(rows, scope);
          return row ? (
            <Found row={row} x={x} y={y} scope={scope} logarithmic={query.log !== "0"} />
          ) : (
            <Empty title="No run has both metrics">Choose others, or another epoch.</Empty>
          );
        }}
      </Answered>
    </section>
  );
}

interface FoundProps {
  readonly row: Row;
  readonly x: string;
  readonly y: string;
  readonly scope: Scope;
  readonly logarithmic: boolean;
}

function Found({ row, x, y, scope, logarithmic }: FoundProps) {
  const key = JSON.stringify(scope.groups.map(({ name, isShown }) => [name, isShown]));
  const groups = useMemo(() => scope.groups.filter(({ isShown }) => isShown), [key]);
  const draw = useCallback(
    (width: number) => drawScatter({ points: row.points, x, y, groups, logarithmic, width }),
    [row, x, y, groups, logarithmic],
  );
  const { n, pearson, spearman } = row;
  return (
    <div class="beside">
      <Chart
        title={`${shortLabelOf(y)} against ${shortLabelOf(x)}`}
        description={`${shortLabelOf(y)} against ${shortLabelOf(x)}, ${n} runs, Pearson r ${formatNumber(pearson.r)}`}
        fileName={`${scope.experiment}-${y}-against-${x}`}
        draw={draw}
        withLinks
        note={`${n} runs: Pearson r = ${formatNumber(pearson.r)} ${formatInterval(pearson.ci95)}, p = ${formatP(pearson.p)}; Spearman ρ = ${formatNumber(spearman.r)}, p = ${formatP(spearman.p)}. A point leads to its run.`}
      />
      <DataTable
        caption="Correlation over runs"
        fileName={`${scope.experiment}-correlation`}
        columns={COLUMNS}
        rows={[
          { over: "all runs", n, pearson, spearman },
          ...row.groups.map(({ group, ...rest }) => ({ over: groupLabel(group), ...rest })),
        ]}
        keyOf={({ over }) => over}
      />
    </div>
  );
}

type Line = Pick<Row, "n" | "pearson" | "spearman"> & { readonly over: string };

const COLUMNS: readonly Column<Line>[] = [
  { heading: "Over", value: ({ over }) => over },
  { heading: "n", value: ({ n }) => n },
  { heading: "Pearson r", value: ({ pearson }) => pearson.r, text: ({ pearson }) => formatNumber(pearson.r) },
  {
    heading: "95 %",
    title: "percentile bootstrap over the runs",
    value: ({ pearson }) => pearson.ci95?.[0] ?? null,
    text: ({ pearson }) => (pearson.ci95 ? formatInterval(pearson.ci95) : (pearson.reason ?? "–")),
    parts: intervalParts<Line>("Pearson r", ({ pearson }) => pearson.ci95),
  },
  { heading: "p", value: ({ pearson }) => pearson.p, text: ({ pearson }) => formatP(pearson.p) },
  { heading: "Spearman ρ", value: ({ spearman }) => spearman.r, text: ({ spearman }) => formatNumber(spearman.r) },
  { heading: "p of ρ", value: ({ spearman }) => spearman.p, text: ({ spearman }) => formatP(spearman.p) },
];

interface MetricChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly metrics: readonly string[];
  readonly onChange: (name: string) => void;
}

/** A list of all metrics, by what they are about. */
function MetricChoice({ label, value, metrics, onChange }: MetricChoiceProps) {
  return (
    <label class="choice">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {metricSections([...new Set([...metrics, value])]).map(({ title, names }) => (
          <optgroup key={title} label={title}>
            {names.map((name) => (
              <option key={name} value={name}>
                {shortLabelOf(name)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}
