import { and, asc, eq, isNull, sql } from "drizzle-orm";
import type { Queries } from "./database.ts";
import { lockEvaluation } from "./evaluations.ts";
import type { RecordDescription } from "./record.ts";
import { evaluationShards, evaluations, type Failure, type Share, shardedEvaluations } from "./schema.ts";
import { unfinished } from "./states.ts";

/** An evaluation that is cut into shards. */
export interface ShardedEvaluation {
  /** The checked request. */
  readonly request: object;
  readonly description: RecordDescription;
  /** In order. */
  readonly shards: readonly (typeof evaluationShards.$inferSelect)[];
  /** When it was cut. */
  readonly createdAt: Date;
}

/** One of the shards of an evaluation. */
export interface ShardKey {
  readonly evaluation: string;
  /** From 0. */
  readonly shard: number;
}

/**
 * Records, in a transaction, how evaluation `id` is cut, and returns whether it is now for the first time and has not ended.
 * @throws CollapsarError `not-found`.
 */
export async function recordShards(
  { orm }: Queries,
  id: string,
  description: RecordDescription,
  shards: readonly (readonly Share[])[],
): Promise<boolean> {
  if (!(await lockEvaluation({ orm }, id)).unfinished) return false;
  const [cut] = await orm
    .insert(shardedEvaluations)
    .values({ evaluationId: id, description })
    .onConflictDoNothing()
    .returning();
  if (!cut) return false;
  await orm.insert(evaluationShards).values(
    shards.map((shares, index) => {
      const images = shares.reduce((sum, { start, end }) => sum + end - start, 0);
      return { evaluationId: id, index, shares, images };
    }),
  );
  await showProgress({ orm }, id);
  return true;
}

/** Returns the evaluation `id` with its shards, or null where it is not cut, has ended or is not there. */
export async function getSharded({ orm }: Queries, id: string): Promise<ShardedEvaluation | null> {
  const [evaluation] = await orm
    .select({
      request: sql<object>`${evaluations.request} || coalesce(${evaluations.presigned}, '{}')`,
      description: shardedEvaluations.description,
      createdAt: shardedEvaluations.createdAt,
    })
    .from(shardedEvaluations)
    .innerJoin(evaluations, eq(evaluations.id, shardedEvaluations.evaluationId))
    .where(unfinished(id));
  if (!evaluation) return null;
  const shards = await orm
    .select()
    .from(evaluationShards)
    .where(eq(evaluationShards.evaluationId, id))
    .orderBy(asc(evaluationShards.index));
  return { ...evaluation, shards };
}

/** Notes how many images of a shard are done. */
export async function reportShard({ orm }: Queries, key: ShardKey, imagesDone: number): Promise<void> {
  await orm
    .update(evaluationShards)
    .set({ imagesDone })
    .where(and(isShard(key), isNull(evaluationShards.doneAt)));
  await showProgress({ orm }, key.evaluation);
}

/**
 * Notes, in a transaction, that all features of a shard are in the store. Returns `last` where it was the last of them,
 * `waiting` where others are not done or it was done before, `ended` where nobody waits for it.
 */
export async function finishShard({ orm }: Queries, key: ShardKey): Promise<"last" | "waiting" | "ended"> {
  const { evaluation } = key;
  if (!(await lockEvaluation({ orm }, evaluation)).unfinished) return "ended";
  const [finished] = await orm
    .update(evaluationShards)
    .set({ doneAt: sql`now()`, imagesDone: evaluationShards.images })
    .where(and(isShard(key), isNull(evaluationShards.doneAt)))
    .returning();
  await showProgress({ orm }, evaluation);
  const [left] = await orm
    .select({ index: evaluationShards.index })
    .from(evaluationShards)
    .where(and(eq(evaluationShards.evaluationId, evaluation), isNull(evaluationShards.doneAt)))
    .limit(1);
  return finished && !left ? "last" : "waiting";
}

/** Shows on the evaluation why an attempt at one of its shards, or at their merge, failed. */
export async function reportFailure({ orm }: Queries, id: string, error: Failure): Promise<void> {
  await orm.update(evaluations).set({ error }).where(unfinished(id));
}

/** Forgets how evaluation `id` was cut, and returns whether it was. */
export async function forgetShards({ orm }: Queries, id: string): Promise<boolean> {
  const forgotten = await orm
    .delete(shardedEvaluations)
    .where(eq(shardedEvaluations.evaluationId, id))
    .returning({ id: shardedEvaluations.evaluationId });
  return forgotten.length > 0;
}

/** Sums over the shards. */
async function showProgress({ orm }: Queries, id: string): Promise<void> {
  const sum = (column: typeof evaluationShards.images | typeof evaluationShards.imagesDone) =>
    orm
      .select({ sum: sql`sum(${column})::bigint` })
      .from(evaluationShards)
      .where(eq(evaluationShards.evaluationId, id));
  await orm
    .update(evaluations)
    .set({
      progress: sql`jsonb_build_object('stage', 'shards', 'done', (${sum(evaluationShards.imagesDone)}), 'total', (${sum(evaluationShards.images)}))`,
    })
    .where(unfinished(id));
}

function isShard({ evaluation, shard }: ShardKey) {
  return and(eq(evaluationShards.evaluationId, evaluation), eq(evaluationShards.index, shard));
}
