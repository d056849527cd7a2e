import { useMemo } from "preact/hooks";
import type { Comparison as Answer } from "../../api/contract.ts";
import { withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import { formatInterval, formatMean, formatNumber, formatP } from "../format.ts";
import { metricSections, rowLabelOf } from "../metricSections.ts";
import { Answered } from "../parts/answered.tsx";
import { Choice } from "../parts/choice.tsx";
import { useQuery } from "../query.ts";
import { type Column, DataTable, intervalParts, type Part } from "../tables/dataTable.tsx";
import { rowsOf, type Scope } from "./scope.ts";

type Row = Answer["rows"][number];
type Line = Row & { readonly section: string };

/** Below this a difference is marked, after Holm's correction. */
const SIGNIFICANT = 0.05;

/** Two groups, metric by metric: the difference, whether it is more than chance, how large it is. */
export function Comparison({ scope }: { readonly scope: Scope }) {
  const [query, change] = useQuery();
  const names = scope.groups.filter(({ key }) => key !== null).map(({ name }) => name);
  const [a, b] = [query.a ?? names[0], query.b ?? names[1]];
  const { experiment, by, dataset, epoch } = scope;
  const answer = useAnswer<Answer>(
    a && b && a !== b
      ? withQuery("/compare", { experiment, by, dataset, epoch, a, b, metrics: scope.tableMetrics.join(",") })
      : null,
    { inTurn: true },
  );
  if (names.length < 2 || !a || !b) return null;
  return (
    <section aria-labelledby="comparison">
      <div class="section-head">
        <h2 id="comparison">Tests between groups</h2>
        <Choice label="Group a" value={a} options={names} onChange={(value) => change({ a: value })} />
        <Choice label="Group b" value={b} options={names} onChange={(value) => change({ b: value })} />
      </div>
      <p class="note">
        Differences are a − b. p is two-sided and corrected by Holm over the metrics of this table; ● marks p below{" "}
        {SIGNIFICANT}. Paired tests take the seeds that both groups share.
      </p>
      {a === b ? (
        <p>Choose two different groups.</p>
      ) : (
        <Answered answer={answer}>{({ rows }) => <Compared rows={rows} a={a} b={b} scope={scope} />}</Answered>
      )}
    </section>
  );
}

interface ComparedProps {
  readonly rows: readonly Row[];
  readonly a: string;
  readonly b: string;
  readonly scope: Scope;
}

/** The table is made again only where one of these is another. */
function Compared({ rows, a, b, scope }: ComparedProps) {
  return useMemo(
    () => (
      <DataTable
        caption={`${a} against ${b}`}
        fileName={`${scope.experiment}-${a}-${b}`}
        columns={COLUMNS}
        rows={linesOf(rowsOf(rows, scope))}
        keyOf={({ metric }) => metric}
        sectionOf={({ section }) => section}
        empty="These groups have no metric in common."
      />
    ),
    [rows, a, b, scope],
  );
}

function linesOf(rows: readonly Row[]): Line[] {
  const byMetric = new Map(rows.map((row) => [row.metric, row]));
  return metricSections([...byMetric.keys()]).flatMap(({ title, names }) =>
    names.map((metric) => ({ ...byMetric.get(metric)!, section: title })),
  );
}

const marked = (p: number | null) => (p !== null && p < SIGNIFICANT ? `● ${formatP(p)}` : formatP(p));
/** A p-value, or why there is none. */
function Test({ pHolm, reason }: { readonly pHolm: number | null; readonly reason: string | null }) {
  return <span title={reason ?? undefined}>{marked(pHolm)}</span>;
}

const meanOf = ({ mean, ci95, n }: Row["a"]) => `${formatMean(mean, ci95?.[0], ci95?.[1])} (n ${n})`;

function sideParts(side: "a" | "b"): Part<Line>[] {
  return [
    { heading: side, value: (line) => line[side].mean },
    ...intervalParts<Line>(side, (line) => line[side].ci95),
    { heading: `n ${side}`, value: (line) => line[side].n },
  ];
}

const COLUMNS: readonly Column<Line>[] = [
  {
    heading: "Metric",
    value: ({ metric }) => metric,
    text: ({ metric }) => rowLabelOf(metric),
  },
  { heading: "a", value: ({ a }) => a.mean, text: ({ a }) => meanOf(a), parts: sideParts("a") },
  { heading: "b", value: ({ b }) => b.mean, text: ({ b }) => meanOf(b), parts: sideParts("b") },
  { heading: "a − b", value: ({ welch }) => welch.difference, text: ({ welch }) => formatNumber(welch.difference) },
  {
    heading: "95 %",
    title: "Welch's interval of the difference",
    value: ({ welch }) => welch.ci95?.[0] ?? null,
    text: ({ welch }) => formatInterval(welch.ci95),
    parts: intervalParts<Line>("a − b", ({ welch }) => welch.ci95),
  },
  {
    heading: "Welch p",
    value: ({ welch }) => welch.pHolm,
    text: ({ welch }) => marked(welch.pHolm),
    show: ({ welch }) => <Test {...welch} />,
  },
  {
    heading: "paired p",
    value: ({ paired }) => paired.pHolm,
    text: ({ paired }) => marked(paired.pHolm),
    show: ({ paired }) => <Test {...paired} />,
  },
  {
    heading: "Wilcoxon p",
    value: ({ wilcoxon }) => wilcoxon.pHolm,
    text: ({ wilcoxon }) => marked(wilcoxon.pHolm),
    show: ({ wilcoxon }) => <Test {...wilcoxon} />,
  },
  {
    heading: "Hedges' g",
    title: "standardised difference; its 95 % interval",
    value: ({ hedges }) => hedges.g,
    text: ({ hedges }) => (hedges.g === null ? "–" : `${formatNumber(hedges.g)} ${formatInterval(hedges.ci95)}`),
    parts: [
      { heading: "Hedges' g", value: ({ hedges }) => hedges.g },
      ...intervalParts<Line>("Hedges' g", ({ hedges }) => hedges.ci95),
    ],
  },
];
