import { and, asc, isNotNull, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Queries } from "./database.ts";
import { RECORDED } from "./record.ts";
import { evaluations } from "./schema.ts";

/**
 * Returns the subquery of the evaluations that count: of those that `condition` lets through, one for each combination of
 * `keys`, that of the last epoch, and of that the newest. Where the keys are run, protocol and perhaps epoch this is the
 * order of the index `evaluations_counted`: of given runs (`ofRuns`) nothing is sorted, and the table is not read.
 */
export function countedEvaluations(
  { orm }: Queries,
  { keys, condition }: { readonly keys: PgColumn[]; readonly condition: SQL | undefined },
) {
  const { id, runId, checkpointId, protocol, epoch, finishedAt, omitted } = evaluations;
  // no name that a joined table has, too: drizzle names no table where it refers to these
  const descending = (column: PgColumn) => sql`${column} desc nulls last`;
  return orm
    .selectDistinctOn(keys, {
      evaluation: sql<string>`${id}`.as("evaluation"),
      run: sql<string>`${runId}`.as("run"),
      checkpointId,
      epoch: sql<number | null>`${epoch}`.mapWith(Number).as("of_epoch"),
      checkpoint: evaluations.checkpointUrl,
      dataset: sql<string>`${evaluations.dataset}`.as("dataset"),
      protocol: sql<string>`${protocol}`.as("protocol"),
      omitted,
    })
    .from(evaluations)
    .where(and(RECORDED, isNotNull(runId), isNotNull(protocol), condition))
    .orderBy(
      ...keys.map((key) => (key === epoch ? descending(key) : asc(key))),
      ...[epoch, finishedAt, id].map(descending),
    )
    .as("counted");
}

/**
 * Returns the condition that an evaluation is of one of these runs. As an array of ids, for PostgreSQL then knows how many
 * evaluations they have: it reads the values of many in one go, those of few one by one.
 */
export function ofRuns(ids: readonly string[]): SQL {
  return sql`${evaluations.runId} = any(${sql.param(ids)}::text[])`;
}
