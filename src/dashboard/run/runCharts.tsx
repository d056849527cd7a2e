import { useCallback, useMemo } from "preact/hooks";
import type { RunMetrics } from "../../api/contract.ts";
import type { EpochRange } from "../charts/brush.ts";
import { groupStyle } from "../charts/colours.ts";
import { type Line, TrajectoryChart } from "../charts/trajectoryChart.tsx";
import { COLLAPSE_METRICS } from "../metricSections.ts";
import { Switch } from "../parts/choice.tsx";
import { useQuery } from "../query.ts";

interface RunChartsProps {
  readonly run: string;
  readonly checkpoints: RunMetrics["metrics"];
}

/** NC1 to NC4 of one run over its epochs; nothing where there is but one. */
export function RunCharts({ run, checkpoints }: RunChartsProps) {
  const [query, change] = useQuery();
  const { from, to } = query;
  const range = useMemo<EpochRange | null>(() => (from && to ? [Number(from), Number(to)] : null), [from, to]);
  const onRange = useCallback(
    (next: EpochRange | null) => change({ from: next && String(next[0]), to: next && String(next[1]) }),
    [change],
  );
  const lines = useMemo(
    () => new Map(COLLAPSE_METRICS.map((name) => [name, [lineOf(name, checkpoints)]])),
    [checkpoints],
  );
  const epochs = new Set(checkpoints.map(({ epoch }) => epoch).filter((epoch) => epoch !== null));
  if (epochs.size < 2) return null;
  return (
    <section aria-labelledby="over-epochs">
      <div class="section-head">
        <h2 id="over-epochs">Collapse over the epochs</h2>
        <Switch label="Log scale" on={query.log !== "0"} onChange={(on) => change({ log: on ? null : "0" })} />
        {range && (
          <button type="button" onClick={() => onRange(null)}>
            All epochs
          </button>
        )}
      </div>
      <div class="charts small">
        {COLLAPSE_METRICS.filter((name) => lines.get(name)![0]!.row.epochs.length > 1).map((name) => (
          <TrajectoryChart
            key={name}
            metric={name}
            lines={lines.get(name)!}
            logarithmic={query.log !== "0"}
            withSeeds={false}
            range={range}
            onRange={onRange}
            fileName={`${run}-${name}`}
          />
        ))}
      </div>
    </section>
  );
}

function lineOf(metric: string, checkpoints: RunMetrics["metrics"]): Line {
  const measured = checkpoints.filter(({ epoch, values }) => epoch !== null && values[metric] !== undefined);
  const { dataset = "", protocol = "" } = measured[0] ?? {};
  return {
    name: "",
    style: groupStyle(0),
    row: {
      ...{ group: null, metric, dataset, protocol },
      epochs: measured.map(({ epoch }) => epoch),
      n: measured.map(() => 1),
      mean: measured.map(({ values }) => values[metric]!),
      low: measured.map(() => null),
      high: measured.map(() => null),
    },
  };
}
