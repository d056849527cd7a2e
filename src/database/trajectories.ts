import { spread } from "../statistics/summary.ts";
import type { Queries } from "./database.ts";
import { inOrder } from "./order.ts";
import { type Selection, selectSeries, type ValueSeries } from "./selection.ts";

/** One metric of one run over the epochs of a trajectory; null where it was not evaluated. */
export interface SeedTrajectory {
  readonly run: string;
  readonly seed: number | null;
  readonly values: readonly (number | null)[];
}

/** One metric of one group on one dataset with one protocol over the epochs: columns of equal length. */
export interface Trajectory {
  /** Null for the runs that do not say. */
  readonly group: string | null;
  readonly metric: string;
  readonly dataset: string;
  readonly protocol: string;
  /** Ascending, each once. */
  readonly epochs: readonly (number | null)[];
  /** Runs that have a value at the epoch. */
  readonly n: readonly number[];
  readonly mean: readonly number[];
  /** 95 % Student-t interval of the mean; null where n = 1. */
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
  /** In order of seed and id of the run. */
  readonly seeds: readonly SeedTrajectory[];
}

/**
 * Returns how metrics go over the epochs, over the runs of each group, in order of group, metric, dataset and protocol: the
 * numbers of `aggregate` with every epoch, without an object per value.
 */
export async function trajectories(queries: Queries, selection: Omit<Selection, "epoch">): Promise<Trajectory[]> {
  const series = (await selectSeries(queries, { ...selection, epoch: "all" })).filter(hasMetric);
  const members = Map.groupBy(series, ({ group, metric, dataset, protocol }) =>
    JSON.stringify([group, metric, dataset, protocol]),
  );
  return inOrder([...members.values()].map(toTrajectory), ({ group, metric, dataset, protocol }) => [
    ...[group, metric, dataset, protocol],
  ]);
}

type MetricSeries = ValueSeries & { readonly metric: string; readonly values: readonly number[] };

function hasMetric(series: ValueSeries): series is MetricSeries {
  return series.metric !== null;
}

function toTrajectory(series: readonly MetricSeries[]): Trajectory {
  const { group, metric, dataset, protocol } = series[0]!;
  const epochs = epochsOf(series);
  const columns = new Map(epochs.map((epoch, column) => [epoch, column]));
  const seeds = series.map(({ run, seed, epochs: own, values }) => {
    const row = new Array<number | null>(epochs.length).fill(null);
    for (let i = 0; i < own.length; i++) row[columns.get(own[i]!)!] = values[i]!;
    return { run, seed, values: row };
  });
  const found = epochs.map((_, column) => seeds.flatMap(({ values }) => values[column] ?? []));
  const spreads = found.map(spread);
  return {
    ...{ group, metric, dataset, protocol, epochs, seeds },
    n: found.map(({ length }) => length),
    mean: spreads.map(({ mean }) => mean),
    low: spreads.map(({ ci95 }) => ci95?.[0] ?? null),
    high: spreads.map(({ ci95 }) => ci95?.[1] ?? null),
  };
}

/** Returns the epochs of the series, ascending, each once; one that is not known comes first. */
function epochsOf(series: readonly MetricSeries[]): (number | null)[] {
  const found = new Set<number | null>();
  for (const { epochs } of series) for (const epoch of epochs) found.add(epoch);
  return [...found].sort((a, b) => (a ?? -1) - (b ?? -1));
}
