import { type Summary, summary } from "../statistics/summary.ts";
import type { Queries } from "./database.ts";
import { inOrder } from "./order.ts";
import { type MissingRun, type Part, type SeedValue, selectParts, valuesOf } from "./parts.ts";
import type { Selection } from "./selection.ts";

/** One metric of one group on one dataset with one protocol. */
export interface AggregateRow extends Summary {
  /** Null for the runs that do not say. */
  readonly group: string | null;
  readonly metric: string;
  readonly dataset: string;
  readonly protocol: string;
  /** Of the values, ascending, each once. */
  readonly epochs: readonly (number | null)[];
  /** Whether the values are of different epochs, and so may not be comparable. */
  readonly epochsDiffer: boolean;
  /** In order of seed. */
  readonly perSeed: readonly SeedValue[];
  /** Runs of the group that were evaluated on the dataset, but have no such value. */
  readonly missing: readonly MissingRun[];
}

/**
 * Returns the summary over runs of each group and metric, one row for each dataset and protocol, in order of group,
 * metric, dataset, protocol and epoch. A run counts once in a row: with its newest success. A group that was evaluated
 * on a dataset, but has no value of a metric there, has a row with n = 0.
 */
export async function aggregate(queries: Queries, selection: Selection): Promise<AggregateRow[]> {
  const parts = await selectParts(queries, selection);
  const rows = parts.flatMap((part) => part.metrics.map((metric) => toRow(part, metric)));
  return inOrder(rows, ({ group, metric, dataset, protocol, epochs }) => [
    ...[group, metric, dataset, protocol],
    epochs[0] ?? null,
  ]);
}

function toRow(part: Part, metric: string): AggregateRow {
  const { group, dataset, protocol } = part;
  const perSeed = valuesOf(part, metric);
  const epochs = epochsOf(perSeed);
  return {
    ...{ group, metric, dataset, protocol },
    epochs: epochs.length === 0 && part.epoch !== undefined ? [part.epoch] : epochs,
    epochsDiffer: epochs.length > 1,
    ...summary(perSeed.map(({ value }) => value)),
    perSeed,
    missing: part.missing(metric),
  };
}

/** Returns the epochs of the values, ascending, each once; one that is not known comes first. */
export function epochsOf(values: readonly SeedValue[]): (number | null)[] {
  return [...new Set(values.map(({ epoch }) => epoch))].sort((a, b) => (a ?? -1) - (b ?? -1));
}
