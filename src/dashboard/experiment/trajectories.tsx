import { useCallback, useMemo } from "preact/hooks";
import type { Trajectories as Answer } from "../../api/experimentSchemas.ts";
import { path, withQuery } from "../answers/request.ts";
import { useAnswer } from "../answers/useAnswer.ts";
import type { EpochRange } from "../charts/brush.ts";
import { type Line, TrajectoryChart } from "../charts/trajectoryChart.tsx";
import { COLLAPSE_METRICS, shortLabelOf } from "../metricSections.ts";
import { Answered } from "../parts/answered.tsx";
import { Choice } from "../parts/choice.tsx";
import { Empty } from "../parts/empty.tsx";
import { useQuery } from "../query.ts";
import { firstDetection, rowsOf, type Scope } from "./scope.ts";

/** NC1 to NC4 and what else is asked for over the epochs, a chart for each metric; all show the same epochs. */
export function Trajectories({ scope }: { readonly scope: Scope }) {
  const [query, change] = useQuery();
  const metrics = shownMetrics(scope, query.metrics);
  const withSeeds = query.seeds === "1";
  const answer = useAnswer<Answer>(
    withQuery(path`/experiments/${scope.experiment}/trajectories`, {
      ...{ metrics: metrics.join(","), by: scope.by, dataset: scope.dataset },
      seeds: withSeeds ? "true" : null,
    }),
  );
  const { from, to } = query;
  const range = useMemo<EpochRange | null>(() => (from && to ? [Number(from), Number(to)] : null), [from, to]);
  const onRange = useCallback(
    (next: EpochRange | null) => change({ from: next && String(next[0]), to: next && String(next[1]) }),
    [change],
  );
  return (
    <section aria-labelledby="trajectories">
      <div class="section-head">
        <h2 id="trajectories">Over the epochs</h2>
        <EpochFields range={range} onRange={onRange} />
        <Choice
          label="Add a chart of"
          value=""
          options={[
            ["", "choose …"],
            ...scope.metrics
              .filter((name) => !metrics.includes(name))
              .map((name) => [name, shortLabelOf(name)] as const),
          ]}
          onChange={(name) => change({ metrics: [...metrics, name].join(",") })}
        />
        {query.metrics && (
          <button type="button" onClick={() => change({ metrics: null })}>
            Charts as at first
          </button>
        )}
      </div>
      <p class="note">
        Mean over the seeds in its 95 % interval. Draw over a chart to zoom all of them, double-click to see every
        epoch.
      </p>
      <Answered answer={answer}>
        {({ rows }) => (
          <Grid
            metrics={metrics}
            rows={rowsOf(rows, scope)}
            scope={scope}
            shown={{ logarithmic: query.log !== "0", withSeeds, range, onRange }}
          />
        )}
      </Answered>
    </section>
  );
}

interface GridProps {
  readonly metrics: readonly string[];
  readonly rows: Answer["rows"];
  readonly scope: Scope;
  readonly shown: {
    readonly logarithmic: boolean;
    readonly withSeeds: boolean;
    readonly range: EpochRange | null;
    readonly onRange: (range: EpochRange | null) => void;
  };
}

function Grid({ metrics, rows, scope, shown }: GridProps) {
  const { groups, experiment } = scope;
  const key = JSON.stringify(groups.map(({ name, isShown }) => [name, isShown]));
  const lines = useMemo(() => {
    const byMetric = Map.groupBy(rows, ({ metric }) => metric);
    const linesOf = (metric: string): Line[] =>
      groups.flatMap(({ key: group, name, style, isShown }) => {
        const row = isShown && byMetric.get(metric)?.find((one) => one.group === group);
        return row ? [{ name, style, row }] : [];
      });
    return new Map(metrics.map((metric) => [metric, linesOf(metric)]));
  }, [rows, key]);
  if (groups.every(({ isShown }) => !isShown)) return <Empty title="No group is shown">Choose one above.</Empty>;
  return (
    <div class="charts">
      {metrics.map((metric) => (
        <TrajectoryChart
          key={metric}
          metric={metric}
          lines={lines.get(metric) ?? []}
          fileName={`${experiment}-${metric}`}
          {...shown}
        />
      ))}
    </div>
  );
}

function EpochFields({
  range,
  onRange,
}: {
  readonly range: EpochRange | null;
  readonly onRange: (range: EpochRange | null) => void;
}) {
  const set = (from: number, to: number) => {
    if (Number.isFinite(from) && Number.isFinite(to) && from < to) onRange([from, to]);
  };
  const field = (label: string, value: number | undefined, change: (value: number) => void) => (
    <label class="choice">
      <span>{label}</span>
      <input
        type="number"
        min="0"
        value={value ?? ""}
        placeholder="all"
        onChange={(event) => change(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
  return (
    <>
      {field("From epoch", range?.[0], (from) => set(from, range?.[1] ?? from + 1))}
      {field("to", range?.[1], (to) => set(range?.[0] ?? 0, to))}
      {range && (
        <button type="button" onClick={() => onRange(null)}>
          All epochs
        </button>
      )}
    </>
  );
}

function shownMetrics({ metrics }: Scope, asked: string | undefined): string[] {
  if (asked) return asked.split(",");
  const detection = firstDetection(metrics);
  return [...COLLAPSE_METRICS, "accuracy", ...(detection ? [detection] : [])].filter((name) => metrics.includes(name));
}
