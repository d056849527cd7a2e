import { and, asc, eq, inArray, type SQL, sql } from "drizzle-orm";
import { type Summary, summary } from "../statistics/summary.ts";
import { countedEvaluations, dataset } from "./counted.ts";
import type { Queries } from "./database.ts";
import { checkpoints, evaluations, metricValues, runs } from "./schema.ts";

/** Which values to aggregate, and over what. */
export interface AggregateRequest {
  readonly experiment?: string | undefined;
  /** `group`, `experiment`, `seed`, or the name of a label. */
  readonly by: string;
  /** All where not given. */
  readonly metrics?: readonly string[] | undefined;
  /** `last`: each run's own last evaluated epoch. `all`: every epoch, one row each. */
  readonly epoch: "last" | "all" | number;
  /** Name of a training set. */
  readonly dataset?: string | undefined;
}

/** The value of one run. */
export interface SeedValue {
  readonly run: string;
  readonly seed: number | null;
  readonly epoch: number | null;
  readonly value: number;
}

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
  readonly perSeed: readonly SeedValue[];
}

/**
 * Returns the summary over runs of each group and metric, one row for each dataset and protocol, in order of group,
 * metric, dataset, protocol and epoch. A run counts once in a row: with its newest success.
 */
export async function aggregate(queries: Queries, request: AggregateRequest): Promise<AggregateRow[]> {
  const values = await selectValues(queries, request);
  const rowOf = (value: GroupedValue) =>
    JSON.stringify([
      value.group,
      value.metric,
      value.dataset,
      value.protocol,
      request.epoch === "all" ? value.epoch : null,
    ]);
  return [...Map.groupBy(values, rowOf).values()].map(toRow);
}

type GroupedValue = SeedValue & Pick<AggregateRow, "group" | "metric" | "dataset" | "protocol">;

function toRow(values: readonly GroupedValue[]): AggregateRow {
  const { group, metric, dataset, protocol } = values[0]!;
  const epochs = [...new Set(values.map(({ epoch }) => epoch))].sort((a, b) => (a ?? -1) - (b ?? -1));
  return {
    group,
    metric,
    dataset,
    protocol,
    epochs,
    epochsDiffer: epochs.length > 1,
    ...summary(values.map(({ value }) => value)),
    perSeed: values.map(({ run, seed, epoch, value }) => ({ run, seed, epoch, value })),
  };
}

async function selectValues(queries: Queries, request: AggregateRequest): Promise<GroupedValue[]> {
  const { experiment, by, metrics, epoch } = request;
  const counted = countedEvaluations(queries, {
    keys: epoch === "all" ? [runs.id, evaluations.protocol, checkpoints.epoch] : [runs.id, evaluations.protocol],
    condition: and(
      experiment === undefined ? undefined : eq(runs.experiment, experiment),
      request.dataset === undefined ? undefined : eq(dataset, request.dataset),
      typeof epoch === "number" ? eq(checkpoints.epoch, epoch) : undefined,
    ),
    group: groupOf(by),
  });
  return queries.orm
    .select({
      group: counted.grouping,
      metric: metricValues.name,
      dataset: counted.dataset,
      protocol: counted.protocol,
      run: counted.run,
      seed: counted.seed,
      epoch: counted.epoch,
      value: metricValues.value,
    })
    .from(counted)
    .innerJoin(metricValues, eq(metricValues.evaluationId, counted.evaluation))
    .where(metrics && inArray(metricValues.name, [...metrics]))
    .orderBy(
      asc(counted.grouping),
      asc(metricValues.name),
      asc(counted.dataset),
      asc(counted.protocol),
      asc(counted.epoch),
      asc(counted.seed),
      asc(counted.run),
    );
}

function groupOf(by: string): SQL {
  if (by === "group") return sql`${runs.group}`;
  if (by === "experiment") return sql`${runs.experiment}`;
  if (by === "seed") return sql`${runs.seed}::text`;
  return sql`${runs.labels} ->> ${by}`;
}
