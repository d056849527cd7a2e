import { reportProgress } from "../database/evaluations.ts";
import { type RecordDescription, recordEvaluation } from "../database/record.ts";
import type { Share } from "../database/schema.ts";
import {
  finishShard,
  forgetShards,
  getSharded,
  recordShards,
  reportShard,
  type ShardedEvaluation,
  type ShardKey,
} from "../database/shards.ts";
import type { Progress } from "../evaluation/evaluate.ts";
import type { ProtocolParts } from "../evaluation/identity.ts";
import { parseRequest } from "../evaluation/request.ts";
import { removeParts } from "../evaluation/shards/parts.ts";
import { stopwatch } from "../evaluation/stopwatch.ts";
import type { WorkerContext } from "./attempt.ts";
import type { Task } from "./tasks.ts";
import { throttled } from "./throttled.ts";

/** Records how an evaluation is cut, and queues its shards, both or neither; once, whoever else tries. */
export async function beginShards(
  { database, queue }: WorkerContext,
  { evaluation, generation }: Task,
  description: RecordDescription,
  shards: readonly (readonly Share[])[],
): Promise<void> {
  await database.orm.transaction(async (orm) => {
    if (await recordShards({ orm }, evaluation, description, shards))
      await queue.enqueue(
        { orm },
        shards.map((_, shard) => ({ evaluation, generation, shard })),
      );
  });
}

/** Puts the features of a shard into the store; when it was the last one, the merge is queued, once. */
export async function doShard(context: WorkerContext, key: ShardKey, signal: AbortSignal): Promise<void> {
  const { database, queue } = context;
  const { evaluation, shard } = key;
  const sharded = await getSharded(database, evaluation);
  if (!sharded) return clearUp(context, evaluation);
  if (sharded.shards[shard]!.doneAt) return;
  try {
    await storeFeatures(context, sharded, key, signal);
  } catch (error) {
    if (await getSharded(database, evaluation)) throw error;
    return clearUp(context, evaluation); // nobody waits for it any more
  }
  const standing = await database.orm.transaction(async (orm) => {
    const finished = await finishShard({ orm }, key);
    if (finished === "last") await queue.enqueue({ orm }, [{ evaluation, shard: "all" }]);
    return finished;
  });
  if (standing === "ended") await clearUp(context, evaluation);
}

/** Measures an evaluation from the features of all its shards, and records it; one that has ended leaves nothing behind. */
export async function mergeAll(context: WorkerContext, id: string, signal: AbortSignal): Promise<void> {
  const { database, evaluator, onError } = context;
  const sharded = await getSharded(database, id);
  if (!sharded) return clearUp(context, id);
  if (sharded.shards.some(({ doneAt }) => !doneAt)) return; // it has been cut anew since this was to clear up
  reportProgress(database, id, { stage: "metrics", done: 0, total: 1 }).catch(onError);
  const { request, description, shards, createdAt } = sharded;
  const clock = stopwatch();
  const order = { evaluation: id, request: parseRequest(request), shards: shards.map(({ shares }) => shares) };
  const measured = await evaluator.run("merge", order, { signal });
  signal.throwIfAborted();
  const features = (Math.max(...shards.map(({ doneAt }) => Number(doneAt))) - Number(createdAt)) / 1000;
  clock.lap("metrics");
  const seconds = { ...description.seconds, features, ...clock.laps };
  await recordEvaluation(database, id, { ...description, ...measured, seconds });
  clock.lap("record");
  await clearUp(context, id);
}

async function storeFeatures(
  { database, evaluator, onError }: WorkerContext,
  { request, description: begun, shards }: ShardedEvaluation,
  key: ShardKey,
  signal: AbortSignal,
): Promise<void> {
  const { engine } = begun.protocolParts as ProtocolParts;
  const asBegun = parseRequest({ ...request, engine, device: begun.engine.device });
  const onProgress = throttled(({ done }: Progress) => {
    reportShard(database, key, done).catch(onError);
  });
  const order = { key, request: asBegun, begun, shares: shards[key.shard]!.shares };
  await evaluator.run("evaluateShard", order, { signal, onProgress });
}

/** Removes what the shards of an evaluation that has ended have left. */
async function clearUp({ database, parts }: WorkerContext, id: string): Promise<void> {
  await removeParts(parts, id);
  await forgetShards(database, id);
}
