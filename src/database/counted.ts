import { and, asc, isNotNull, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Queries } from "./database.ts";
import { RECORDED } from "./record.ts";
import { evaluations } from "./schema.ts";

const { id, runId, checkpointId, protocol, epoch, finishedAt, omitted } = evaluations;

/** What is told of each. No name that a joined table has, too: drizzle names no table where it refers to these. */
const TOLD = {
  evaluation: sql<string>`${id}`.as("evaluation"),
  run: sql<string>`${runId}`.as("run"),
  checkpointId,
  epoch: sql<number | null>`${epoch}`.mapWith(Number).as("of_epoch"),
  checkpoint: evaluations.checkpointUrl,
  dataset: sql<string>`${evaluations.dataset}`.as("dataset"),
  protocol: sql<string>`${protocol}`.as("protocol"),
  omitted,
};

const descending = (column: PgColumn) => sql`${column} desc nulls last`;
const NEWEST_FIRST = [epoch, finishedAt, id].map(descending);

/**
 * Returns the subquery of the evaluations that count: of those that `condition` lets through, one for each combination of
 * `keys`, that of the last epoch, and of that the newest. Where the keys are run, protocol and perhaps epoch this is the
 * order of the index `evaluations_counted`: of given runs (`ofRuns`) nothing is sorted, and the table is not read.
 */
export function countedEvaluations(
  { orm }: Queries,
  { keys, condition }: { readonly keys: PgColumn[]; readonly condition: SQL | undefined },
) {
  return orm
    .selectDistinctOn(keys, TOLD)
    .from(evaluations)
    .where(and(RECORDED, isNotNull(runId), isNotNull(protocol), condition))
    .orderBy(...keys.map((key) => (key === epoch ? descending(key) : asc(key))), ...NEWEST_FIRST)
    .as("counted");
}

/**
 * Returns what `countedEvaluations` does for the keys run and protocol, of these runs. It enters the index once for each
 * protocol of each run, and passes over the other epochs: of 150 runs with 350 each it takes 2 ms instead of 10.
 */
export function newestOfRuns({ orm }: Queries, ids: readonly string[], condition: SQL | undefined): Counted {
  const ofMember = and(RECORDED, sql`${runId} = member.id`, condition);
  const least = (after?: SQL) =>
    orm
      .select({ protocol })
      .from(evaluations)
      .where(and(ofMember, isNotNull(protocol), after))
      .orderBy(asc(protocol))
      .limit(1);
  const places = sql`unnest(${sql.param(ids)}::text[]) as member(id) cross join lateral (
    with recursive place(digest) as (
      ${least()} union all
      select ${least(sql`${protocol} > place.digest`)} from place where place.digest is not null)
    select digest from place where digest is not null) place`;
  const newest = orm
    .select(TOLD)
    .from(evaluations)
    .where(and(ofMember, sql`${protocol} = place.digest`))
    .orderBy(...NEWEST_FIRST)
    .limit(1)
    .as("newest");
  return orm.select(toldOf(newest)).from(places).crossJoinLateral(newest).as("counted");
}

/** The subquery of evaluations that count. */
export type Counted = ReturnType<typeof countedEvaluations>;

/** Returns what such a subquery tells, to be told by another one over it. */
export function toldOf<S extends { readonly [Name in keyof typeof TOLD]: unknown }>(
  subquery: S,
): Pick<S, keyof typeof TOLD> {
  const { evaluation, run, checkpointId, epoch, checkpoint, dataset, protocol, omitted } = subquery;
  return { evaluation, run, checkpointId, epoch, checkpoint, dataset, protocol, omitted };
}

/**
 * Returns the condition that an evaluation is of one of these runs. As an array of ids, for PostgreSQL then knows how many
 * evaluations they have: it reads the values of many in one go, those of few one by one.
 */
export function ofRuns(ids: readonly string[]): SQL {
  return sql`${evaluations.runId} = any(${sql.param(ids)}::text[])`;
}
