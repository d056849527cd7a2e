import type { Database } from "../database/database.ts";
import { reportProgress, startEvaluation } from "../database/evaluations.ts";
import { findSameBytes, type Outcome, type RecordDescription, recordEvaluation } from "../database/record.ts";
import { asCollapsarError } from "../errors.ts";
import type { Progress } from "../evaluation/evaluate.ts";
import type { Description } from "../evaluation/open.ts";
import { parseRequest } from "../evaluation/request.ts";
import type { PartStore } from "../evaluation/shards/parts.ts";
import { stopwatch } from "../evaluation/stopwatch.ts";
import { log, logFailure, within } from "../logging.ts";
import { attemptEnded } from "../telemetry/events.ts";
import { spanning } from "../telemetry/tracing.ts";
import type { Evaluator, OperationCall } from "./evaluator.ts";
import type { Evaluation } from "./operations.ts";
import type { Handler, Queue } from "./queue.ts";
import { beginShards, doShard, mergeAll } from "./shards.ts";
import type { Task } from "./tasks.ts";
import { throttled } from "./throttled.ts";

/** What a worker works with. */
export interface WorkerContext {
  readonly database: Database;
  readonly queue: Queue;
  readonly evaluator: Evaluator;
  /** Where shards leave their features. */
  readonly parts: PartStore;
  /** Hears of progress that could not be reported, which stops nothing. */
  readonly onError: (error: unknown) => void;
}

/** Returns what a worker does with each task. What has ended meanwhile is left as it is. */
export function handlerOf(context: WorkerContext): Handler {
  return (task, signal, attempt) => {
    const { evaluation, shard, trace } = task;
    const work = async () => {
      log.info("begun");
      try {
        if (shard === undefined) await evaluateOrCut(context, task, signal);
        else if (shard === "all") await mergeAll(context, evaluation, signal);
        else await doShard(context, { evaluation, shard }, signal);
      } catch (error) {
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

/** Starts the evaluation, has it evaluated, and records the outcome; one of very many images goes on as shards. */
async function evaluateOrCut(context: WorkerContext, task: Task, signal: AbortSignal): Promise<void> {
  const { evaluation: id, generation } = task;
  const { database, evaluator, onError } = context;
  const started = await startEvaluation(database, id, generation);
  if (!started) return;
  const onProgress = throttled((progress: Progress) => {
    reportProgress(database, id, progress).catch(onError);
  });
  const request = parseRequest({ ...started.request, ...started.presigned });
  const call = { signal, onProgress, findRecorded: findRecordedIn(database) };
  const evaluation = await evaluator.run("evaluate", request, call);
  if (evaluation.is === "cut")
    return beginShards(context, task, descriptionOf(evaluation.description), evaluation.shards);
  signal.throwIfAborted();
  const clock = stopwatch();
  await recordEvaluation(database, id, outcomeOf(evaluation));
  clock.lap("record");
}

/** Returns the lookup of numbers that `database` has already. */
export function findRecordedIn(database: Database): OperationCall["findRecorded"] {
  return (sha256, protocol) => findSameBytes(database, { sha256, protocol });
}

/** Returns what the database records of an evaluation that was not cut. */
export function outcomeOf(evaluation: Exclude<Evaluation, { is: "cut" }>): Outcome {
  if (evaluation.is === "recorded") return { ...descriptionOf(evaluation.description), copyOf: evaluation.copyOf };
  const { values, omitted, details, ...description } = evaluation.evaluated;
  return { ...descriptionOf(description), values, omitted, details };
}

function descriptionOf({ place, checkpoint, ...description }: Description): RecordDescription {
  const { run, epoch, ...stated } = place;
  return { ...description, run: { id: run, ...stated }, checkpoint: { ...checkpoint, epoch } };
}
