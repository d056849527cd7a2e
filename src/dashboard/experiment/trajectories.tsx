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
      <Grid
        metrics={metrics}
        scope={scope}
        shown={{ logarithmic: query.log !== "0", withSeeds: query.seeds === "1", range, onRange }}
      />
    </section>
  );
}

interface Shown {
  readonly logarithmic: boolean;
  readonly withSeeds: boolean;
  readonly range: EpochRange | null;
  readonly onRange: (range: EpochRange | null) => void;
}

interface GridProps {
  readonly metrics: readonly string[];
  readonly scope: Scope;
  readonly shown: Shown;
}

function Grid({ metrics, scope, shown }: GridProps) {
  if (scope.groups.every(({ isShown }) => !isShown)) return <Empty title="No group is shown">Choose one above.</Empty>;
  return (
    <div class="charts">
      {metrics.map((metric) => (
        <MetricChart key={metric} metric={metric} scope={scope} shown={shown} />
      ))}
    </div>
  );
}

/** A chart asks for its own metric: no answer is large, and the first charts are there while others wait for their turn. */
function MetricChart({
  metric,
  scope,
  shown,
}: {
  readonly metric: string;
  readonly scope: Scope;
  readonly shown: Shown;
}) {
  const { experiment, by, dataset } = scope;
  const answer = useAnswer<Answer>(
    withQuery(path`/experiments/${experiment}/trajectories`, {
      ...{ metrics: metric, by, dataset },
      seeds: shown.withSeeds ? "true" : null,
    }),
    { inTurn: true },
  );
  return (
    <Answered answer={answer}>
      {({ rows }) => <Lines metric={metric} rows={rows} scope={scope} shown={shown} />}
    </Answered>
  );
}

interface LinesProps {
  readonly metric: string;
  readonly rows: Answer["rows"];
  readonly scope: Scope;
  readonly shown: Shown;
}

function Lines({ metric, rows, scope, shown }: LinesProps) {
  const { groups, experiment, dataset, protocol } = scope;
  const key = JSON.stringify([dataset, protocol, groups.map(({ name, isShown }) => [name, isShown])]);
  const lines = useMemo(() => {
    const own = rowsOf(rows, scope);
    return groups.flatMap(({ key: group, name, style, isShown }): Line[] => {
      const row = isShown && own.find((one) => one.group === group);
      return row ? [{ name, style, row }] : [];
    });
  }, [rows, key]);
  return <TrajectoryChart metric={metric} lines={lines} fileName={`${experiment}-${metric}`} {...shown} />;
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
