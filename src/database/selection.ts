import { and, asc, desc, eq, inArray, type SQL, sql } from "drizzle-orm";
import { countedEvaluations } from "./counted.ts";
import type { Queries } from "./database.ts";
import { RECORDED } from "./record.ts";
import { checkpoints, evaluations, metricValues, runs } from "./schema.ts";

/** The epoch at which a metric is lowest or highest; of several the earliest. */
export interface BestEpoch {
  readonly metric: string;
  readonly direction: "min" | "max";
}

/** Which checkpoint of a run stands for it: its own last, that of one epoch, or its best. */
export type OneEpoch = "last" | number | BestEpoch;

type Counted = ReturnType<typeof countedEvaluations>;

/** Which values to take, and over which groups of runs. */
export interface Selection {
  readonly experiment?: string | undefined;
  /** `group`, `experiment`, `seed`, or the name of a label. */
  readonly by: string;
  /** All where not given. */
  readonly groups?: readonly string[] | undefined;
  /** All where not given. */
  readonly metrics?: readonly string[] | undefined;
  /** `all`: every epoch on its own. */
  readonly epoch: OneEpoch | "all";
  /** Name of a training set. */
  readonly dataset?: string | undefined;
}

/** A run, and where it was evaluated. */
export interface RosterRun {
  readonly run: string;
  readonly seed: number | null;
  readonly group: string | null;
  readonly dataset: string;
}

/** One metric of one run with one protocol over the epochs that count. */
export interface ValueSeries extends RosterRun {
  readonly protocol: string;
  /** Null for the epochs that have none of the metrics. */
  readonly metric: string | null;
  readonly epochs: readonly (number | null)[];
  readonly values: readonly (number | null)[];
}

/** Why metrics of one evaluation were left out. */
export interface Omission {
  readonly run: string;
  readonly protocol: string;
  readonly epoch: number | null;
  readonly omitted: Readonly<Record<string, string>>;
}

/**
 * Returns the values of the evaluations that count, in order of seed and run. A series comes as two JSON arrays: a row
 * for each of 52,500 values would take three times as long to bring here as to find.
 */
export function selectSeries(queries: Queries, selection: Selection): Promise<ValueSeries[]> {
  const counted = countedIn(queries, selection);
  const { metrics } = selection;
  const asked = metrics && (metrics.length > 0 ? inArray(metricValues.name, [...metrics]) : sql`false`);
  return queries.orm
    .select({
      run: counted.run,
      seed: counted.seed,
      group: counted.grouping,
      dataset: counted.dataset,
      protocol: counted.protocol,
      metric: metricValues.name,
      epochs: sql<(number | null)[]>`json_agg(${counted.epoch})`,
      values: sql<(number | null)[]>`json_agg(${metricValues.value})`,
    })
    .from(counted)
    .leftJoin(metricValues, and(eq(metricValues.evaluationId, counted.evaluation), asked))
    .groupBy(counted.run, counted.seed, counted.grouping, counted.dataset, counted.protocol, metricValues.name)
    .orderBy(asc(counted.seed), asc(counted.run));
}

/** Returns the runs of the selection with every dataset they were ever evaluated on, in order of seed and run. */
export function selectRoster({ orm }: Queries, selection: Selection): Promise<RosterRun[]> {
  return orm
    .selectDistinct({
      run: runs.id,
      seed: runs.seed,
      group: sql<string | null>`${groupOf(selection.by)}`.as("grouping"),
      dataset: sql<string>`${evaluations.dataset}`,
    })
    .from(evaluations)
    .innerJoin(checkpoints, eq(checkpoints.id, evaluations.checkpointId))
    .innerJoin(runs, eq(runs.id, checkpoints.runId))
    .where(and(RECORDED, conditionOf(selection)))
    .orderBy(asc(runs.seed), asc(runs.id));
}

/** Returns what the evaluations that count left out, of those that left out something. */
export function selectOmissions(queries: Queries, selection: Selection): Promise<Omission[]> {
  const counted = countedIn(queries, selection);
  return queries.orm
    .select({
      run: counted.run,
      protocol: counted.protocol,
      epoch: counted.epoch,
      omitted: sql<Omission["omitted"]>`${counted.omitted}`,
    })
    .from(counted)
    .where(sql`${counted.omitted} <> '{}'`);
}

/** Returns the subquery of the evaluations that count: the newest of each run, protocol and chosen epoch. */
function countedIn(queries: Queries, selection: Selection) {
  const { epoch, by } = selection;
  const everyEpoch = epoch === "all" || typeof epoch === "object";
  const counted = countedEvaluations(queries, {
    keys: [runs.id, evaluations.protocol, ...(everyEpoch ? [checkpoints.epoch] : [])],
    condition: and(conditionOf(selection), typeof epoch === "number" ? eq(checkpoints.epoch, epoch) : undefined),
    group: groupOf(by),
  });
  return typeof epoch === "object" ? bestOf(queries, counted, epoch) : counted;
}

function bestOf({ orm }: Queries, counted: Counted, { metric, direction }: BestEpoch): Counted {
  return orm
    .selectDistinctOn([counted.run, counted.protocol], {
      evaluation: counted.evaluation,
      run: counted.run,
      seed: counted.seed,
      grouping: counted.grouping,
      epoch: counted.epoch,
      sha256: counted.sha256,
      checkpoint: counted.checkpoint,
      dataset: counted.dataset,
      protocol: counted.protocol,
      omitted: counted.omitted,
    })
    .from(counted)
    .innerJoin(metricValues, and(eq(metricValues.evaluationId, counted.evaluation), eq(metricValues.name, metric)))
    .orderBy(
      asc(counted.run),
      asc(counted.protocol),
      direction === "min" ? asc(metricValues.value) : desc(metricValues.value),
      asc(counted.epoch),
    )
    .as("counted");
}

function conditionOf({ experiment, dataset, by, groups }: Selection): SQL | undefined {
  return and(
    experiment === undefined ? undefined : eq(runs.experiment, experiment),
    dataset === undefined ? undefined : eq(evaluations.dataset, dataset),
    groups && inArray(groupOf(by), [...groups]),
  );
}

/** What every run can be grouped by; any other key is that of a label. */
export const OWN_KEYS: readonly string[] = ["group", "experiment", "seed"];

/** Returns the expression of what a run is grouped by: `group`, `experiment`, `seed`, or the name of a label. */
export function groupOf(by: string): SQL {
  if (by === "group") return sql`${runs.group}`;
  if (by === "experiment") return sql`${runs.experiment}`;
  if (by === "seed") return sql`${runs.seed}::text`;
  return sql`${runs.labels} ->> ${by}`;
}
