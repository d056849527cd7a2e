import type { Database } from "../database/database.ts";
import { getDetails, reportProgress, startEvaluation } from "../database/evaluations.ts";
import { findSameBytes, type Outcome, type RecordDescription, recordEvaluation } from "../database/record.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { type Evaluated, type EvaluationContext, evaluateOpened, type Progress } from "../evaluation/evaluate.ts";
import type { Description } from "../evaluation/open.ts";
import { openEvaluation } from "../evaluation/open.ts";
import { parseRequest } from "../evaluation/request.ts";
import { shardsOf } from "../evaluation/shards/cut.ts";
import type { PartStore } from "../evaluation/shards/parts.ts";
import { log, logFailure, within } from "../logging.ts";
import type { Handler, Queue } from "./queue.ts";
import { beginShards, doShard, mergeAll } from "./shards.ts";
import { throttled } from "./throttled.ts";

/** What a worker works with. */
export interface WorkerContext {
  readonly database: Database;
  readonly queue: Queue;
  readonly sources: DatasetSources;
  /** Where shards leave their features. */
  readonly parts: PartStore;
  /** Hears of progress that could not be reported, which stops nothing. */
  readonly onError: (error: unknown) => void;
}

/** Returns what a worker does with each task. What has ended meanwhile is left as it is. */
export function handlerOf(context: WorkerContext): Handler {
  return ({ evaluation, shard }, signal, attempt) =>
    within({ evaluation, shard, attempt }, async () => {
      log.info("begun");
      try {
        if (shard === undefined) await evaluateOrCut(context, evaluation, signal);
        else if (shard === "all") await mergeAll(context, evaluation, signal);
        else await doShard(context, { evaluation, shard }, signal);
      } catch (error) {
        if (signal.aborted) log.info("broken off");
        else logFailure(error);
        throw error;
      }
      log.info("ended");
    });
}

/** Starts the evaluation, runs the story, and records the outcome; one of very many images goes on as shards. */
async function evaluateOrCut(context: WorkerContext, id: string, signal: AbortSignal): Promise<void> {
  const { database, sources, onError } = context;
  const evaluation = await startEvaluation(database, id);
  if (!evaluation) return;
  const onProgress = throttled((progress: Progress) => {
    reportProgress(database, id, progress).catch(onError);
  });
  const story = { sources, signal, onProgress, findMeasured: findMeasuredIn(database) };
  const opened = await openEvaluation(parseRequest(evaluation.request), story);
  const shards = opened.known ? [] : shardsOf(opened);
  if (shards.length > 1) return beginShards(context, id, descriptionOf(opened.description), shards);
  const evaluated = await evaluateOpened(opened, story);
  signal.throwIfAborted();
  await recordEvaluation(database, id, outcomeOf(evaluated));
}

/** Returns the lookup of numbers that `database` has already. */
export function findMeasuredIn(database: Database): EvaluationContext["findMeasured"] {
  return async (sha256, protocol) => {
    const same = await findSameBytes(database, { sha256, protocol });
    return same && { values: same.values, omitted: same.omitted ?? {}, details: await getDetails(database, same.id) };
  };
}

/** Returns what the database records of an evaluation. */
export function outcomeOf({ values, omitted, details, ...description }: Evaluated): Outcome {
  return { values, omitted, details, ...descriptionOf(description) };
}

function descriptionOf({ place, checkpoint, ...description }: Description): RecordDescription {
  const { run, epoch, ...stated } = place;
  return { ...description, run: { id: run, ...stated }, checkpoint: { ...checkpoint, epoch } };
}
