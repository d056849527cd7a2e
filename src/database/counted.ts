import { and, asc, desc, eq, isNotNull, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Queries } from "./database.ts";
import { RECORDED } from "./record.ts";
import { checkpoints, evaluations, runs } from "./schema.ts";

/**
 * Returns the subquery of the evaluations that count: of those that `condition` lets through, one for each combination
 * of `keys`, that of the last epoch, and of that the newest. Its `grouping` is `group` of the run.
 */
export function countedEvaluations(
  { orm }: Queries,
  { keys, condition, group }: { keys: PgColumn[]; condition: SQL | undefined; group: SQL },
) {
  return orm
    .selectDistinctOn(keys, {
      evaluation: sql<string>`${evaluations.id}`.as("evaluation"),
      run: sql<string>`${runs.id}`.as("run"),
      seed: sql<number | null>`${runs.seed}`.mapWith(Number).as("seed"),
      grouping: sql<string | null>`${group}`.as("grouping"),
      epoch: sql<number | null>`${checkpoints.epoch}`.mapWith(Number).as("epoch"),
      sha256: checkpoints.sha256,
      checkpoint: evaluations.checkpointUrl,
      dataset: sql<string>`${evaluations.dataset}`.as("dataset"),
      protocol: sql<string>`${evaluations.protocol}`.as("protocol"),
      omitted: evaluations.omitted,
    })
    .from(evaluations)
    .innerJoin(checkpoints, eq(checkpoints.id, evaluations.checkpointId))
    .innerJoin(runs, eq(runs.id, checkpoints.runId))
    .where(and(RECORDED, isNotNull(evaluations.protocol), condition))
    .orderBy(
      ...keys.map((key) => asc(key)),
      sql`${checkpoints.epoch} desc nulls last`,
      desc(evaluations.finishedAt),
      desc(evaluations.id),
    )
    .as("counted");
}
