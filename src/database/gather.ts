import type { RosterRun, ValueSeries } from "./selection.ts";

/** A run with the metrics of its evaluation that counts. */
export interface EvaluatedRun {
  readonly run: string;
  readonly seed: number | null;
  readonly epoch: number | null;
  readonly values: ReadonlyMap<string, number>;
}

/** What values must share to be one sample. */
export interface Place {
  readonly group: string | null;
  readonly dataset: string;
  readonly protocol: string;
  /** Only where every epoch is a place of its own. */
  readonly epoch?: number | null;
}

/** The evaluated runs of one place. */
export interface Gathered extends Place {
  readonly runs: readonly EvaluatedRun[];
}

/** Returns the values of `series` by group, dataset, protocol and epoch, runs in the order in which they came. */
export function gatherEpochs(series: readonly ValueSeries[]): Gathered[] {
  const evaluations = Map.groupBy(evaluationsOf(series), ({ key, epoch }) => `${epoch} ${key}`);
  return [...evaluations.values()].map((runs) => ({ ...runs[0]!.place, epoch: runs[0]!.epoch, runs }));
}

/**
 * Returns the values of `series` by group, dataset and protocol, runs in the order in which they came. Where `roster`
 * says that a group was evaluated on a dataset, it has a place with each protocol there, if only an empty one.
 */
export function gather(series: readonly ValueSeries[], roster: readonly RosterRun[]): Gathered[] {
  const evaluations = Map.groupBy(evaluationsOf(series), ({ key }) => key);
  const groups = unique(roster, ({ group, dataset }) => JSON.stringify([group, dataset]));
  const protocols = unique(series, ({ dataset, protocol }) => JSON.stringify([dataset, protocol]));
  return groups.flatMap(({ group, dataset }) =>
    protocols
      .filter((candidate) => candidate.dataset === dataset)
      .map(({ protocol }) => ({ group, dataset, protocol }))
      .map((place) => ({ ...place, runs: evaluations.get(keyOf(place)) ?? [] })),
  );
}

interface Evaluation extends EvaluatedRun {
  readonly place: Place;
  readonly key: string;
}

/** Returns the evaluations that the series of each run and protocol are made of. */
function evaluationsOf(series: readonly ValueSeries[]): Evaluation[] {
  const ofRuns = Map.groupBy(series, ({ run, protocol }) => `${protocol} ${run}`);
  return [...ofRuns.values()].flatMap((members) => {
    const { run, seed, group, dataset, protocol } = members[0]!;
    const place = { group, dataset, protocol };
    const key = keyOf(place);
    return [...valuesByEpoch(members)].map(([epoch, values]) => ({ place, key, run, seed, epoch, values }));
  });
}

function valuesByEpoch(series: readonly ValueSeries[]): Map<number | null, Map<string, number>> {
  const epochs = new Map(series.flatMap((one) => one.epochs).map((epoch) => [epoch, new Map<string, number>()]));
  for (const { metric, epochs: places, values } of series) {
    for (const [i, epoch] of places.entries()) if (metric !== null) epochs.get(epoch)!.set(metric, values[i]!);
  }
  return epochs;
}

const keyOf = ({ group, dataset, protocol }: Place) => JSON.stringify([group, dataset, protocol]);

function unique<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
