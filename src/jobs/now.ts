import type { Database } from "../database/database.ts";
import { type Evaluation, submitEvaluation } from "../database/evaluations.ts";
import { recordEvaluation } from "../database/record.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { evaluate, type Progress } from "../evaluation/evaluate.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";
import { findMeasuredIn, outcomeOf } from "./attempt.ts";
import { submissionOf } from "./submit.ts";

/**
 * Evaluates in this process, past the queue, and returns the recorded evaluation. Nothing is written before the numbers
 * are there, and then all at once.
 * @throws CollapsarError as `evaluate` and `recordEvaluation`.
 */
export async function evaluateNow(
  database: Database,
  sources: DatasetSources,
  request: EvaluationRequest,
  onProgress?: (progress: Progress) => void,
): Promise<Evaluation> {
  const submission = await submissionOf(request, sources);
  const evaluated = await evaluate(request, { sources, onProgress, findMeasured: findMeasuredIn(database) });
  return database.orm.transaction(async (orm) => {
    const { evaluation } = await submitEvaluation({ orm }, submission);
    return recordEvaluation({ orm }, evaluation.id, outcomeOf(evaluated));
  });
}
