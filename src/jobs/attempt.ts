import type { Database } from "../database/database.ts";
import { getDetails, reportProgress, startEvaluation } from "../database/evaluations.ts";
import { findSameBytes, type Outcome, type RecordDescription, recordEvaluation } from "../database/record.ts";
import { asDatabaseError } from "../database/unavailable.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { asCollapsarError } from "../errors.ts";
import { type Evaluated, type EvaluationContext, evaluateOpened, type Progress } from "../evaluation/evaluate.ts";
import type { Description } from "../evaluation/open.ts";
import { openEvaluation } from "../evaluation/open.ts";
import { parseRequest } from "../evaluation/request.ts";
import { shardsOf } from "../evaluation/shards/cut.ts";
import type { PartStore } from "../evaluation/shards/parts.ts";
import { stopwatch } from "../evaluation/stopwatch.ts";
import { log, logFailure, within } from "../logging.ts";
import { attemptEnded } from "../telemetry/events.ts";
import { spanning } from "../telemetry/tracing.ts";
import type { Handler, Queue, Task } from "./queue.ts";
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
export function handlerOf({ onError, ...others }: WorkerContext): Handler {
  const context = { ...others, onError: (error: unknown) => onError(asDatabaseError(error)) };
  return (task, signal, attempt) => {
    const { evaluation, shard, trace } = task;
    const work = async () => {
      log.info("begun");
      try {
        if (shard === undefined) await evaluateOrCut(context, task, signal);
        else if (shard === "all") await mergeAll(context, evaluation, signal);
        else await doShard(context, { evaluation, shard }, signal);
      } catch (cause) {
        const error = asDatabaseError(cause);
        if (signal.aborted) log.info("broken off");
        else logFailure(error);
        const outcome = signal.aborted ? "stopped" : "failed";
        attemptEnded.tell({ outcome, code: signal.aborted ? "" : asCollapsarError(error).code });
        throw error;
      }
      attemptEnded.tell({ outcome: "done", code: "" });
      log.info("ended");
    };
    const attributes = { "collapsar.evaluation": evaluation, "collapsar.attempt": attempt };
    const ofShard = shard !== undefined && { "collapsar.shard": shard };
    const name = shard === undefined ? "evaluate" : shard === "all" ? "merge shards" : "evaluate shard";
    return within({ evaluation, shard, attempt }, () =>
      spanning({ name, kind: "consumer", parent: trace, attributes: { ...attributes, ...ofShard } }, work),
    );
  };
}

/** Starts the evaluation, runs the story, and records the outcome; one of very many images goes on as shards. */
async function evaluateOrCut(context: WorkerContext, task: Task, signal: AbortSignal): Promise<void> {
  const { evaluation: id, generation } = task;
  const { database, sources, onError } = context;
  const evaluation = await startEvaluation(database, id, generation);
  if (!evaluation) return;
  const onProgress = throttled((progress: Progress) => {
    reportProgress(database, id, progress).catch(onError);
  });
  const story = { sources, signal, onProgress, findMeasured: findMeasuredIn(database) };
  const opened = await openEvaluation(parseRequest({ ...evaluation.request, ...evaluation.presigned }), story);
  const shards = opened.known ? [] : shardsOf(opened);
  if (shards.length > 1) return beginShards(context, task, descriptionOf(opened.description), shards);
  const evaluated = await evaluateOpened(opened, story);
  signal.throwIfAborted();
  const clock = stopwatch();
  await recordEvaluation(database, id, outcomeOf(evaluated));
  clock.lap("record");
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
