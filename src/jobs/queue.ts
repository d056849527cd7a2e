import { type Job, PgBoss, type SendOptions } from "pg-boss";
import type { Database, Queries } from "../database/database.ts";
import {
  cancelEvaluation,
  countUnfinished,
  type Evaluation,
  failEvaluation,
  getEvaluation,
  postponeEvaluation,
  retryEvaluation,
} from "../database/evaluations.ts";
import type { Failure } from "../database/schema.ts";
import { forgetShards, reportFailure } from "../database/shards.ts";
import type { Life } from "../database/states.ts";
import type { Submission, Submitted } from "../database/submissions.ts";
import { asDatabaseError, askingDatabase } from "../database/unavailable.ts";
import { asCollapsarError, CollapsarError } from "../errors.ts";
import { LONGEST_EVALUATION_SECONDS } from "../evaluation/request.ts";
import { backendOf } from "./backend.ts";
import { type Deliver, type Deliveries, openDeliveries, REDELIVERY } from "./deliveries.ts";
import { restsOf } from "./rest.ts";
import { submissionsTo } from "./submissions.ts";
import { lifeOf, type Task, taskOf, waitingTasks } from "./tasks.ts";
import { watchOver } from "./watch.ts";

/** One attempt (the first is 1) at a task. `signal` says that the result is not wanted any more. */
export type Handler = (task: Task, signal: AbortSignal, attempt: number) => Promise<void>;

/** The evaluations that wait, in the database. Every process on one database has the same queue. */
export interface Queue {
  /**
   * Records and queues the submission, both or neither; what was submitted before is returned and not queued again. When it
   * has ended, or if it has already, `webhook` (a URL) is told.
   */
  submit(submission: Submission, webhook?: string): Promise<Submitted>;
  /** Queues the tasks in the transaction of `queries`: those of higher priority first, shards before all of them. */
  enqueue(queries: Queries, tasks: readonly Task[]): Promise<void>;
  /**
   * Ends the evaluation as cancelled; whoever works at it, in whatever process, has its signal aborted within a second.
   * @throws CollapsarError `not-found`; `conflict` where it has ended otherwise.
   */
  cancel(id: string): Promise<Evaluation>;
  /**
   * Queues again an evaluation that failed or was cancelled, with all its attempts.
   * @throws CollapsarError `not-found`; `conflict` where it has not, or the same was submitted again since.
   */
  retry(id: string): Promise<Evaluation>;
  /**
   * Lets `handler` do tasks, up to `concurrency` at a time. When it throws a retryable error it is called again later, up
   * to ATTEMPTS times in all; after that, or when the error is not retryable, the evaluation has failed. One that was cut
   * into shards then has a last task `all`, which clears up.
   */
  work(handler: Handler, options: { concurrency: number }): Promise<void>;
  /** Lets `deliver` tell webhooks of evaluations that have ended; those that do not answer hold up no evaluation. */
  deliver(deliver: Deliver): Promise<void>;
  /** Returns how many evaluations wait and how many run. */
  depth(): Promise<{ queued: number; running: number }>;
  /**
   * Takes no more jobs and returns when no handler runs: `graceful` gives them time to end, otherwise, and after that
   * time, their signal is aborted and their evaluations go back into the queue.
   */
  stop(options: { graceful: boolean }): Promise<void>;
}

export const ATTEMPTS = 8;
/**
 * Doubled after each attempt and drawn between once and twice that: at least 2, 4, 8, 16, 32 s and twice a minute, 3
 * minutes in all. A store or a database restarts meanwhile, or is replaced by another.
 */
const BACK_OFF = { retryDelay: 2, retryBackoff: true, retryDelayMax: 60 };
/** A job may wait for its worker for a year; pg-boss forgets it after two weeks, and its evaluation would wait for ever. */
const LONGEST_WAIT_SECONDS = 365 * 24 * 3600;
/** NOTIFY wakes the workers for new jobs; polling is for retries that come due. */
const POLLING = { pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 2 };
/** Together within the 30 s that Kubernetes gives a pod to end: for handlers to finish, then to heed their signal. */
export const GRACE_MS = 15_000;
export const ABORT_MS = 10_000;

const EVALUATE = "evaluate";
/** Where the jobs go whose attempts are used up, also by death of their worker, which no handler can report. */
const EXHAUSTED = "evaluate-exhausted";
/** To write down that an evaluation has failed is tried for as long as it takes. */
const UNTIL_DONE = { retryLimit: 10_000, retryDelay: 5, expireInSeconds: 60, retentionSeconds: LONGEST_WAIT_SECONDS };

type EvaluationJob = Job<Task>;

interface QueueOptions {
  readonly backOff?: Pick<SendOptions, "retryDelay" | "retryBackoff">;
  readonly redelivery?: SendOptions;
  /** Whether new jobs wake this process: one that does none would be woken by each of its own submissions. */
  readonly listens?: boolean;
}

/**
 * Opens the queue in `database`, whose tables it makes; `hear` is told failures that no caller waits for.
 * @throws CollapsarError `database-unavailable`.
 */
export async function openQueue(
  database: Database,
  hear: (error: unknown) => void,
  { backOff = BACK_OFF, redelivery = REDELIVERY, listens = true }: QueueOptions = {},
): Promise<Queue> {
  const onError = (error: unknown) => hear(asDatabaseError(error));
  const { connection, job } = backendOf(database);
  const boss = new PgBoss({ ...connection, schedule: false, registerInstance: false, useListenNotify: listens });
  boss.on("error", onError);
  const deliveries = await askingDatabase(openQueues(boss, database, redelivery));

  const jobOptions = {
    retryLimit: ATTEMPTS - 1,
    ...backOff,
    expireInSeconds: LONGEST_EVALUATION_SECONDS,
    retentionSeconds: LONGEST_WAIT_SECONDS,
    ...job,
  };
  const tasks = waitingTasks(boss, EVALUATE, jobOptions);
  const attempts = new Set<Promise<void>>();
  const stopping = new AbortController();
  const watch = watchOver(database, fail, onError);
  const rests = restsOf(backOff.retryDelay ?? 0);
  return {
    submit: submissionsTo(database, tasks, deliveries),

    async cancel(id) {
      const cancelled = await endWith(id, (queries) => cancelEvaluation(queries, id));
      const evaluation = await getEvaluation(database, id);
      if (cancelled || evaluation.status === "cancelled") return evaluation;
      throw new CollapsarError(
        "conflict",
        `evaluation "${id}" has ${evaluation.status}, expected one that has not ended`,
      );
    },

    retry: (id) =>
      database.orm.transaction(async (orm) => {
        const evaluation = await retryEvaluation({ orm }, id);
        await tasks.add({ orm }, [taskOf(evaluation)]);
        return evaluation;
      }),

    enqueue: tasks.add,

    async work(handler, { concurrency }) {
      for (let i = 0; i < concurrency; i++) {
        const worker = await boss.work(EVALUATE, POLLING, async ([job]: EvaluationJob[]) => {
          const running = attempt(handler, job!);
          attempts.add(running);
          await running.finally(() => {
            attempts.delete(running);
            boss.notifyWorker(worker); // to fetch the next at once: it would wait out its poll after a short job
          });
        });
      }
      await boss.work(EXHAUSTED, POLLING, ([job]: EvaluationJob[]) => giveUp(job!.data));
    },

    deliver: (deliver) => deliveries.work(deliver, stopping.signal),

    depth: () => countUnfinished(database),

    async stop({ graceful }) {
      rests.end();
      const patience = setTimeout(() => stopping.abort(), graceful ? GRACE_MS : 0);
      await boss.stop({ timeout: GRACE_MS + ABORT_MS });
      clearTimeout(patience);
      await Promise.allSettled(attempts);
    },
  };

  /** Throws where pg-boss shall try again; a failure that another attempt would only repeat ends the evaluation. */
  async function attempt(handler: Handler, { data: task, signal, retryCount }: EvaluationJob): Promise<void> {
    // fetched while the workers are being stopped, often as what was put back just now
    if (stopping.signal.aborted) return tasks.add(database, [task]);
    const { ended, done } = watch.begin(lifeOf(task));
    try {
      await handler(task, AbortSignal.any([signal, stopping.signal, ended]), retryCount + 1);
      rests.none();
      await deliveries.announce(database, task.evaluation);
    } catch (error) {
      if (signal.aborted) throw error; // the job is another worker's by now
      if (ended.aborted && task.shard !== "all") return; // that one also clears up, after the end
      if (stopping.signal.aborted) return putBack(task);
      const { code, message, retryable } = asCollapsarError(error);
      if (!retryable) return fail(lifeOf(task), { code, message });
      await postpone(database, task, { code, message });
      await rests.next(ended);
      throw new Error(message); // pg-boss keeps all that it is thrown, and a cause may hold secrets
    } finally {
      done();
    }
  }

  /** As a new job: to be stopped is not the evaluation's fault, and must not use up its attempts. */
  function putBack(task: Task): Promise<void> {
    return database.orm.transaction(async (orm) => {
      if (await postpone({ orm }, task)) await tasks.add({ orm }, [task]);
    });
  }

  async function fail(life: Life, error: Failure): Promise<void> {
    await endWith(life.id, (queries) => failEvaluation(queries, life, error));
  }

  /** Returns whether `end` did end the evaluation; of one that was cut the shards are then forgotten, and cleared up. */
  function endWith(evaluation: string, end: (queries: Queries) => Promise<boolean>): Promise<boolean> {
    return database.orm.transaction(async (orm) => {
      const ended = await end({ orm });
      if (!ended) return false;
      if (await forgetShards({ orm }, evaluation)) await tasks.add({ orm }, [{ evaluation, shard: "all" }]);
      await deliveries.announce({ orm }, evaluation);
      return true;
    });
  }

  /** Ends an evaluation whose attempts are used up, with the error of the last that could report one. */
  async function giveUp(task: Task): Promise<void> {
    const died = { code: "internal", message: `the worker died at each of ${ATTEMPTS} attempts` };
    const evaluation = await getEvaluation(database, task.evaluation).catch((error) => {
      if (asCollapsarError(error).code === "not-found") return null; // it was deleted with its run
      throw error;
    });
    if (evaluation) await fail(lifeOf(task), evaluation.error ?? died);
  }
}

/** Returns whether the task is still to be done. An evaluation that is cut keeps running: its other shards do. */
async function postpone(queries: Queries, task: Task, error?: Failure): Promise<boolean> {
  if (task.shard === undefined) return postponeEvaluation(queries, lifeOf(task), error);
  if (error) await reportFailure(queries, task.evaluation, error);
  return true;
}

/** Starts `boss` with all of its queues, and returns the one of webhooks. */
async function openQueues(boss: PgBoss, database: Database, redelivery: SendOptions): Promise<Deliveries> {
  await boss.start();
  await boss.createQueue(EXHAUSTED, { notify: true });
  await boss.updateQueue(EXHAUSTED, UNTIL_DONE); // also that of an earlier release
  await boss.createQueue(EVALUATE, { deadLetter: EXHAUSTED, notify: true });
  if (database.kind === "embedded") await putBackInterrupted(boss);
  return openDeliveries(boss, redelivery);
}

/** On the embedded database nobody else works, so what is active when we start belongs to a process that died. */
async function putBackInterrupted(boss: PgBoss): Promise<void> {
  const active = "select id from pgboss.job where name = $1 and state = 'active'";
  const { rows } = await boss.getDb().executeSql(active, [EVALUATE]);
  const ids: string[] = rows.map(({ id }) => id);
  if (ids.length > 0) await boss.fail(EVALUATE, ids, { message: "the worker died" });
}
