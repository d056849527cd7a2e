import type { Database } from "../database/database.ts";
import { getDetails, reportProgress, startEvaluation } from "../database/evaluations.ts";
import { findSameBytes, type Outcome, recordEvaluation } from "../database/record.ts";
import type { DatasetSources } from "../datasets/open.ts";
import type { Evaluated, EvaluationContext, Progress } from "../evaluation/evaluate.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import { parseRequest } from "../evaluation/request.ts";
import type { Handler } from "./queue.ts";

const REPORT_MILLISECONDS = 500;

/**
 * Returns what a worker does with one evaluation: start it, run the story, record the outcome. One that has ended
 * meanwhile is left as it is. `onError` hears of progress that could not be reported, which stops nothing.
 */
export function handlerOf(database: Database, sources: DatasetSources, onError: (error: unknown) => void): Handler {
  return async (id, signal) => {
    const evaluation = await startEvaluation(database, id);
    if (!evaluation) return;
    const onProgress = throttled(REPORT_MILLISECONDS, (progress: Progress) => {
      reportProgress(database, id, progress).catch(onError);
    });
    const request = parseRequest(evaluation.request);
    const findMeasured = findMeasuredIn(database);
    const evaluated = await evaluate(request, { sources, signal, onProgress, findMeasured });
    signal.throwIfAborted();
    await recordEvaluation(database, id, outcomeOf(evaluated));
  };
}

/** Returns the lookup of numbers that `database` has already. */
export function findMeasuredIn(database: Database): EvaluationContext["findMeasured"] {
  return async (sha256, protocol) => {
    const same = await findSameBytes(database, { sha256, protocol });
    return same && { values: same.values, omitted: same.omitted ?? {}, details: await getDetails(database, same.id) };
  };
}

/** Returns what the database records of an evaluation. */
export function outcomeOf({ place, checkpoint, ...evaluated }: Evaluated): Outcome {
  const { run, epoch, ...description } = place;
  return { ...evaluated, run: { id: run, ...description }, checkpoint: { ...checkpoint, epoch } };
}

function throttled<T>(milliseconds: number, call: (value: T) => void): (value: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    const now = performance.now();
    if (now - last < milliseconds) return;
    last = now;
    call(value);
  };
}
