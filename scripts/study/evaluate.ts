import { formatDuration } from "../../src/commands/batchState.ts";
import { type Connection, submit, untilEnded } from "../../src/commands/connection.ts";
import { CollapsarError } from "../../src/errors.ts";
import type { EvaluationRequest } from "../../src/evaluation/request.ts";
import type { StageTimes } from "./stageTimes.ts";

/** Lines on the way. */
const TOLD = 20;

/** How the study evaluates: until when, who counts the time, and who hears how far it is. */
export interface EvaluationPlace {
  readonly signal: AbortSignal;
  readonly times: StageTimes;
  readonly say: (line: string) => void;
}

/**
 * Submits every request to the service and waits until all have ended. What was evaluated before is answered from the
 * record; returns how many were not.
 * @throws CollapsarError `cancelled`, and where an evaluation failed.
 */
export async function evaluateAll(
  api: Connection,
  requests: readonly EvaluationRequest[],
  { signal, times, say }: EvaluationPlace,
): Promise<number> {
  const submitted = await Promise.all(requests.map((request) => submit(api, request)));
  const missing = submitted.filter(({ status }) => status !== "succeeded");
  const begun = performance.now();
  for (const [done, evaluation] of missing.entries()) {
    if (signal.aborted) throw new CollapsarError("cancelled", "stopped; the same command goes on from here");
    const { status, error, checkpoint } = await untilEnded(api, evaluation);
    if (status !== "succeeded") throw new CollapsarError("internal", `${checkpoint.url}: ${error?.message ?? status}`);
    times.advance();
    const [count, seconds] = [done + 1, (performance.now() - begun) / 1000];
    if (count % Math.ceil(missing.length / TOLD) === 0)
      say(
        `evaluated ${count} of ${missing.length}, ${formatDuration((seconds / count) * (missing.length - count))} left`,
      );
  }
  return missing.length;
}
