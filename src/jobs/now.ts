import type { Database } from "../database/database.ts";
import type { Evaluation } from "../database/evaluations.ts";
import { recordEvaluation } from "../database/record.ts";
import { submitEvaluation } from "../database/submissions.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { evaluateOpened, type Progress } from "../evaluation/evaluate.ts";
import { openEvaluation } from "../evaluation/open.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";
import { findRecordedIn, outcomeOf } from "./attempt.ts";
import { submissionOf } from "./submit.ts";

/**
 * Evaluates in this process, past the queue, and returns the recorded evaluation. Nothing is written before the numbers
 * are there, and then all at once.
 * @throws CollapsarError as `openEvaluation`, `evaluateOpened` and `recordEvaluation`.
 */
export async function evaluateNow(
  database: Database,
  sources: DatasetSources,
  request: EvaluationRequest,
  onProgress?: (progress: Progress) => void,
): Promise<Evaluation> {
  const submission = await submissionOf(request, sources);
  const context = { sources, onProgress, findRecorded: findRecordedIn(database) };
  const opened = await openEvaluation(request, context);
  const { description, recorded } = opened;
  const outcome = outcomeOf(
    recorded === null
      ? { is: "measured", evaluated: await evaluateOpened(opened, context) }
      : { is: "recorded", description, copyOf: recorded },
  );
  return database.orm.transaction(async (orm) => {
    const { evaluation } = await submitEvaluation({ orm }, submission);
    return recordEvaluation({ orm }, evaluation.id, outcome);
  });
}
