import { and, asc, desc, eq, inArray, type SQL, sql } from "drizzle-orm";
import { type Counted, countedEvaluations, newestOfRuns, ofRuns, toldOf } from "./counted.ts";
import type { Queries } from "./database.ts";
import { RECORDED } from "./record.ts";
import { evaluations, metricValues, runs } from "./schema.ts";

/** The epoch at which a metric is lowest or highest; of several the earliest. */
export interface BestEpoch {
  readonly metric: string;
  readonly direction: "min" | "max";
}

/** Which checkpoint of a run stands for it: its own last, that of one epoch, or its best. */
export type OneEpoch = "last" | number | BestEpoch;

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

/** Returns the values of the evaluations that count, in order of seed and run. */
export async function selectSeries(queries: Queries, selection: Selection): Promise<ValueSeries[]> {
  const members = await selectMembers(queries, selection);
  const counted = countedIn(queries, selection, members);
  const { metrics, epoch } = selection;
  const asked = metrics && (metrics.length > 0 ? inArray(metricValues.name, [...metrics]) : sql`false`);
  const series = await (epoch === "all" ? overEpochs : atOneEpoch)(queries, counted, asked);
  const ofRun = Map.groupBy(series, ({ run }) => run);
  return members.flatMap((member) => (ofRun.get(member.run) ?? []).map((one) => ({ ...member, ...one })));
}

type Found = Omit<ValueSeries, "seed" | "group">;

/** A series comes as two JSON arrays: a row for each of 52,500 values would take three times as long to bring here as to find. */
function overEpochs({ orm }: Queries, counted: Counted, asked: SQL | undefined): Promise<Found[]> {
  const { run, dataset, protocol, evaluation, epoch } = counted;
  return orm
    .select({
      ...{ run, dataset, protocol, metric: metricValues.name },
      epochs: sql<(number | null)[]>`json_agg(${epoch})`,
      values: sql<(number | null)[]>`json_agg(${metricValues.value})`,
    })
    .from(counted)
    .leftJoin(metricValues, and(eq(metricValues.evaluationId, evaluation), asked))
    .groupBy(run, dataset, protocol, metricValues.name);
}

/** An evaluation of each run: its values are looked up, where a join would read those of all evaluations. */
async function atOneEpoch({ orm }: Queries, counted: Counted, asked: SQL | undefined): Promise<Found[]> {
  const { run, dataset, protocol, evaluation, epoch } = counted;
  const own = and(eq(metricValues.evaluationId, evaluation), asked);
  const rows = await orm
    .select({
      ...{ run, dataset, protocol, epoch },
      values: sql<Readonly<Record<string, number>> | null>`(
        select json_object_agg(${metricValues.name}, ${metricValues.value}) from ${metricValues} where ${own})`,
    })
    .from(counted);
  return rows.flatMap(({ values, epoch: at, ...place }): Found[] => {
    const found = Object.entries(values ?? {});
    if (found.length === 0) return [{ ...place, metric: null, epochs: [at], values: [null] }];
    return found.map(([metric, value]) => ({ ...place, metric, epochs: [at], values: [value] }));
  });
}

/** Returns the runs of the selection with every dataset they were ever evaluated on, in order of seed and run. */
export async function selectRoster(queries: Queries, selection: Selection): Promise<RosterRun[]> {
  const members = await selectMembers(queries, selection);
  const places = await queries.orm
    .selectDistinct({ run: evaluations.runId, dataset: sql<string>`${evaluations.dataset}` })
    .from(evaluations)
    .where(and(RECORDED, conditionOf(selection, members)));
  const ofRun = Map.groupBy(places, ({ run }) => run);
  return members.flatMap((member) => (ofRun.get(member.run) ?? []).map(({ dataset }) => ({ ...member, dataset })));
}

/** Returns what the evaluations that count left out, of those that left out something. */
export async function selectOmissions(queries: Queries, selection: Selection): Promise<Omission[]> {
  const counted = countedIn(queries, selection, await selectMembers(queries, selection));
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

/** A run of the selection. */
type Member = Omit<RosterRun, "dataset">;

/** Returns the runs of the selection, evaluated or not, in order of seed and run. */
function selectMembers({ orm }: Queries, { experiment, by, groups }: Selection): Promise<Member[]> {
  const isChosen = groups && inArray(groupOf(by), [...groups]);
  return orm
    .select({ run: runs.id, seed: runs.seed, group: sql<string | null>`${groupOf(by)}` })
    .from(runs)
    .where(and(experiment === undefined ? undefined : eq(runs.experiment, experiment), isChosen))
    .orderBy(asc(runs.seed), asc(runs.id));
}

/** Returns the subquery of the evaluations that count: the newest of each run, protocol and chosen epoch. */
function countedIn(queries: Queries, selection: Selection, members: readonly Member[]): Counted {
  const { epoch, dataset } = selection;
  if (epoch === "last" && namesRuns(selection))
    return newestOfRuns(
      queries,
      members.map(({ run }) => run),
      onDataset(dataset),
    );
  const everyEpoch = epoch === "all" || typeof epoch === "object";
  const counted = countedEvaluations(queries, {
    keys: [evaluations.runId, evaluations.protocol, ...(everyEpoch ? [evaluations.epoch] : [])],
    condition: and(
      conditionOf(selection, members),
      typeof epoch === "number" ? eq(evaluations.epoch, epoch) : undefined,
    ),
  });
  return typeof epoch === "object" ? bestOf(queries, counted, epoch) : counted;
}

function bestOf({ orm }: Queries, counted: Counted, { metric, direction }: BestEpoch): Counted {
  return orm
    .selectDistinctOn([counted.run, counted.protocol], toldOf(counted))
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

function conditionOf(selection: Selection, members: readonly Member[]): SQL | undefined {
  const ofMembers = namesRuns(selection) ? ofRuns(members.map(({ run }) => run)) : undefined;
  return and(ofMembers, onDataset(selection.dataset));
}

/** The runs are named only where they are not all. */
function namesRuns({ experiment, groups }: Selection): boolean {
  return experiment !== undefined || groups !== undefined;
}

function onDataset(dataset: string | undefined): SQL | undefined {
  return dataset === undefined ? undefined : eq(evaluations.dataset, dataset);
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
