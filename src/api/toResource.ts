import type { Evaluation, EvaluationSummary } from "../database/evaluations.ts";
import type { EvaluationList, EvaluationResource } from "./contract.ts";

/** Returns an evaluation as the API shows it. */
export function toResource(evaluation: Evaluation): EvaluationResource {
  const attemptLog = evaluation.attemptLog.map(({ startedAt, endedAt, ...attempt }) => ({
    ...attempt,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt && new Date(endedAt).toISOString(),
  }));
  return { ...toSummary(evaluation), values: evaluation.values, attemptLog };
}

/** Returns an evaluation as the API shows it in a list. */
export function toSummary(evaluation: EvaluationSummary): EvaluationList["items"][number] {
  const { id, status, run, epoch, protocol, sameAs, progress, error, attempts, seconds } = evaluation;
  const { checkpointUrl, checkpointSize, sha256, createdAt, startedAt, finishedAt, protocolParts, omitted } =
    evaluation;
  return {
    id,
    status,
    checkpoint: { url: checkpointUrl, size: checkpointSize, sha256 },
    run,
    epoch,
    dataset: protocolParts?.dataset.name ?? null,
    omitted: omitted ?? {},
    protocol,
    protocolParts: protocolParts && { ...protocolParts },
    sameAs,
    progress,
    error,
    attempts,
    seconds,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
