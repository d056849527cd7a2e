import { and, countDistinct, eq, inArray, type SQL, sql } from "drizzle-orm";
import { type Summary, summary } from "../statistics/summary.ts";
import { countedEvaluations, ofRuns } from "./counted.ts";
import type { Queries } from "./database.ts";
import { inOrder } from "./order.ts";
import { evaluations, metricValues, runs } from "./schema.ts";
import { groupOf } from "./selection.ts";

/** A metric over the runs of a group on one dataset with one protocol. */
export interface PlacedSummary extends Summary {
  readonly dataset: string;
  readonly protocol: string;
  /** The last epochs of the runs, ascending, each once. */
  readonly epochs: readonly (number | null)[];
}

/** What the runs of an experiment have after their last epochs, on one dataset with one protocol. */
export interface RecordedPlace {
  readonly dataset: string;
  readonly protocol: string;
  readonly runs: number;
  /** Names, in alphabetical order. */
  readonly metrics: readonly string[];
}

/** What a summary is of. */
export interface GroupValue {
  readonly experiment: string | null;
  readonly group: string | null;
  readonly summary: PlacedSummary;
}

/**
 * Returns `metric` after each run's own last epoch, over the runs of each group of each experiment that `among` lets through, a
 * row for each dataset and protocol, in this order: as `aggregate` has it, for many experiments in one statement. The values come
 * in order of seed and run, for the last bit of a mean depends on it.
 */
export async function groupValues(
  queries: Queries,
  { among, by, metric }: { readonly among: SQL; readonly by: string; readonly metric: string },
): Promise<GroupValue[]> {
  const counted = countedEvaluations(queries, {
    keys: [evaluations.runId, evaluations.protocol],
    condition: inArray(evaluations.runId, queries.orm.select({ id: runs.id }).from(runs).where(among)),
  });
  const group = groupOf(by);
  const rows = await queries.orm
    .select({
      experiment: runs.experiment,
      group: sql<string | null>`${group}`.as("grouping"),
      dataset: counted.dataset,
      protocol: counted.protocol,
      epochs: sql<(number | null)[]>`json_agg(distinct ${counted.epoch})`,
      values: sql<number[]>`json_agg(${metricValues.value} order by ${runs.seed}, ${runs.id})`,
    })
    .from(counted)
    .innerJoin(runs, eq(runs.id, counted.run))
    .innerJoin(metricValues, and(eq(metricValues.evaluationId, counted.evaluation), eq(metricValues.name, metric)))
    .groupBy(runs.experiment, sql`grouping`, counted.dataset, counted.protocol);
  const ordered = inOrder(rows, ({ dataset, protocol }) => [dataset, protocol]);
  return ordered.map(({ experiment, group, values, epochs, dataset, protocol }) => ({
    ...{ experiment, group },
    summary: {
      ...{ dataset, protocol },
      epochs: epochs.toSorted((a, b) => (a ?? -1) - (b ?? -1)),
      ...summary(values),
    },
  }));
}

/** Returns the datasets and protocols of an experiment with the metrics that there are, in this order. */
export async function recordedPlaces(queries: Queries, experiment: string): Promise<RecordedPlace[]> {
  const members = await queries.orm.select({ id: runs.id }).from(runs).where(eq(runs.experiment, experiment));
  const counted = countedEvaluations(queries, {
    keys: [evaluations.runId, evaluations.protocol],
    condition: ofRuns(members.map(({ id }) => id)),
  });
  const rows = await queries.orm
    .select({
      dataset: counted.dataset,
      protocol: counted.protocol,
      runs: countDistinct(counted.run),
      metrics: sql<
        string[]
      >`coalesce(json_agg(distinct ${metricValues.name}) filter (where ${metricValues.name} is not null), '[]')`,
    })
    .from(counted)
    .leftJoin(metricValues, eq(metricValues.evaluationId, counted.evaluation))
    .groupBy(counted.dataset, counted.protocol);
  return inOrder(rows, ({ dataset, protocol }) => [dataset, protocol]);
}
