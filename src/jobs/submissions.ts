import type { Database } from "../database/database.ts";
import {
  draftOf,
  recordedOf,
  recordingOf,
  type Submission,
  type Submitted,
  submitEvaluation,
} from "../database/submissions.ts";
import { addWebhook } from "../database/webhooks.ts";
import { asCollapsarError } from "../errors.ts";
import { traceparent } from "../telemetry/tracing.ts";
import type { Deliveries } from "./deliveries.ts";
import { taskOf, type WaitingTasks } from "./tasks.ts";
import { together } from "./together.ts";

/** What is submitted, and the span it belongs to. */
interface Asked {
  readonly submission: Submission;
  readonly trace: string | undefined;
}

/**
 * Returns what records and queues a submission, both or neither; what was submitted before is returned and not queued again.
 * Those that come at a time are one transaction, of which no statement waits for what another returns.
 */
export function submissionsTo(
  database: Database,
  tasks: WaitingTasks,
  deliveries: Deliveries,
): (submission: Submission, webhook?: string) => Promise<Submitted> {
  /** Returns null for each that was submitted before. */
  const submitTogether = together(async (asked: readonly Asked[]) => {
    const drafts = asked.map(({ submission }) => draftOf(submission));
    const tasksOfAll = drafts.map((draft, i) => ({ ...taskOf(draft), trace: asked[i]!.trace }));
    const [rows] = await database.transact([recordingOf(drafts), await tasks.addingRecorded(tasksOfAll)]);
    return recordedOf(drafts, rows!);
  }, isDatabaseAway);

  /** In a transaction, so that the evaluation does not end before it has its webhook. */
  function submitAlone(submission: Submission, webhook: string | undefined): Promise<Submitted> {
    return database.orm.transaction(async (orm) => {
      const submitted = await submitEvaluation({ orm }, submission);
      if (submitted.created) await tasks.add({ orm }, [taskOf(submitted.evaluation)]);
      if (webhook !== undefined) {
        await addWebhook({ orm }, submitted.evaluation.id, webhook);
        await deliveries.announce({ orm }, submitted.evaluation.id);
      }
      return submitted;
    });
  }

  return async (submission, webhook) => {
    const evaluation = webhook === undefined && (await submitTogether({ submission, trace: traceparent() }));
    return evaluation ? { evaluation, created: true } : submitAlone(submission, webhook);
  };
}

function isDatabaseAway(error: unknown): boolean {
  return asCollapsarError(error).code === "database-unavailable";
}
