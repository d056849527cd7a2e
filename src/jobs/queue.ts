import { sql } from "drizzle-orm";
import { type DrizzleTransactionLike, fromDrizzle, type Job, PgBoss } from "pg-boss";
import type { Database } from "../database/database.ts";
import {
  countUnfinished,
  failEvaluation,
  getEvaluation,
  postponeEvaluation,
  type Submission,
  type Submitted,
  submitEvaluation,
} from "../database/evaluations.ts";
import { asCollapsarError } from "../errors.ts";
import { backendOf } from "./backend.ts";

/** One attempt (the first is 1) at evaluation `id`. `signal` says that the result is not wanted any more. */
export type Handler = (id: string, signal: AbortSignal, attempt: number) => Promise<void>;

/** The evaluations that wait, in the database. Every process on one database has the same queue. */
export interface Queue {
  /** Records and queues the submission, both or neither; what was submitted before is returned and not queued again. */
  submit(submission: Submission): Promise<Submitted>;
  /**
   * Lets `handler` evaluate, up to `concurrency` at a time. When it throws a retryable error it is called again later,
   * up to ATTEMPTS times in all; after that, or when the error is not retryable, the evaluation has failed.
   */
  work(handler: Handler, options: { concurrency: number }): Promise<void>;
  /** Returns how many evaluations wait and how many run. */
  depth(): Promise<{ queued: number; running: number }>;
  /**
   * Takes no more jobs and returns when no handler runs: `graceful` gives them time to end, otherwise, and after that
   * time, their signal is aborted and their jobs go back into the queue.
   */
  stop(options: { graceful: boolean }): Promise<void>;
}

/** With the back-off below, the waits between attempts are about 2, 4, 8 and 16 s: a store may restart meanwhile. */
export const ATTEMPTS = 5;
const FIRST_RETRY_SECONDS = 2;
/** No evaluation takes longer; pg-boss allows a day. */
const LONGEST_EVALUATION_SECONDS = 12 * 3600;
/** NOTIFY wakes the workers for new jobs; polling is for retries that come due. */
const POLL_SECONDS = 2;
/** Within the 30 s that Kubernetes gives a pod to end. */
const GRACE_MS = 20_000;

const EVALUATE = "evaluate";
/** Where the jobs go whose attempts are used up, also by death of their worker, which no handler can report. */
const EXHAUSTED = "evaluate-exhausted";

type EvaluationJob = Job<{ evaluation: string }>;

/** Opens the queue in `database`, whose tables it makes; `onError` hears of failures that no caller waits for. */
export async function openQueue(database: Database, onError: (error: unknown) => void): Promise<Queue> {
  const { connection, job } = backendOf(database);
  const boss = new PgBoss({ ...connection, schedule: false, registerInstance: false, useListenNotify: true });
  boss.on("error", onError);
  await boss.start();
  await boss.createQueue(EXHAUSTED, { notify: true });
  await boss.createQueue(EVALUATE, { deadLetter: EXHAUSTED, notify: true });
  if (database.kind === "embedded") await putBackInterrupted(boss);

  const jobOptions = {
    retryLimit: ATTEMPTS - 1,
    retryDelay: FIRST_RETRY_SECONDS,
    retryBackoff: true,
    expireInSeconds: LONGEST_EVALUATION_SECONDS,
    ...job,
  };
  const polling = { pollingIntervalSeconds: POLL_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS };
  const attempts = new Set<Promise<void>>();

  return {
    submit: (submission) =>
      database.orm.transaction(async (orm) => {
        const submitted = await submitEvaluation({ orm }, submission);
        const { id } = submitted.evaluation;
        const db = fromDrizzle(orm as unknown as DrizzleTransactionLike, sql); // its rows are typed per driver
        if (submitted.created) await boss.send(EVALUATE, { evaluation: id }, { ...jobOptions, db });
        return submitted;
      }),

    async work(handler, { concurrency }) {
      await boss.work(EVALUATE, { ...polling, localConcurrency: concurrency }, async ([job]: EvaluationJob[]) => {
        const attempt = attemptEvaluation(database, handler, job!);
        attempts.add(attempt);
        await attempt.finally(() => attempts.delete(attempt));
      });
      await boss.work(EXHAUSTED, polling, ([job]: EvaluationJob[]) => giveUp(database, job!.data.evaluation));
    },

    depth: () => countUnfinished(database),

    async stop({ graceful }) {
      await boss.stop({ graceful, timeout: GRACE_MS });
      await Promise.allSettled(attempts);
    },
  };
}

/** Runs one attempt. Throws where pg-boss shall try again; what another attempt would only repeat ends the evaluation. */
async function attemptEvaluation(database: Database, handler: Handler, job: EvaluationJob): Promise<void> {
  const id = job.data.evaluation;
  try {
    await handler(id, job.signal, job.retryCount + 1);
  } catch (error) {
    const { code, message, retryable } = asCollapsarError(error);
    const again = retryable || job.signal.aborted;
    await (again ? postponeEvaluation : failEvaluation)(database, id, { code, message });
    if (again) throw error;
  }
}

/** Ends an evaluation whose attempts are used up, with the error of the last that could report one. */
async function giveUp(database: Database, id: string): Promise<void> {
  const died = { code: "internal", message: `the worker died at each of ${ATTEMPTS} attempts` };
  const { error } = await getEvaluation(database, id);
  await failEvaluation(database, id, error ?? died);
}

/** On the embedded database nobody else works, so what is active when we start belongs to a process that died. */
async function putBackInterrupted(boss: PgBoss): Promise<void> {
  const { rows } = await boss
    .getDb()
    .executeSql("select id from pgboss.job where name = $1 and state = 'active'", [EVALUATE]);
  if (rows.length > 0)
    await boss.fail(
      EVALUATE,
      rows.map(({ id }) => id),
      { message: "the worker died" },
    );
}
