import type { PgBoss, SendOptions } from "pg-boss";
import type { Queries } from "../database/database.ts";
import type { Evaluation } from "../database/evaluations.ts";
import type { Statement } from "../database/prepared.ts";
import type { Life } from "../database/states.ts";
import { isRecorded } from "../database/submissions.ts";
import { MAX_PRIORITY } from "../evaluation/request.ts";
import { traceparent } from "../telemetry/tracing.ts";
import { statementOf, transactionOf } from "./backend.ts";

/** What a job is about. */
export interface Task {
  readonly evaluation: string;
  /** In which it was queued: in a later one the task is another's. Absent: in whichever. */
  readonly generation?: number | undefined;
  /** Of an evaluation that is cut into shards: which one, or `all` of them, merged. Absent: the evaluation itself. */
  readonly shard?: number | "all";
  /** Of an evaluation that has not begun: those of higher priority come first. Default 0. */
  readonly priority?: number;
  /** Span that the work belongs to, as `traceparent` has it. */
  readonly trace?: string | undefined;
}

/** Returns the task that an evaluation is. */
export function taskOf({ id, generation, request }: Pick<Evaluation, "id" | "generation" | "request">): Task {
  return { evaluation: id, generation, priority: Number(request.priority ?? 0) };
}

/** Returns the life of its evaluation that a task belongs to. */
export function lifeOf({ evaluation, generation }: Task): Life {
  return { id: evaluation, generation };
}

/** The tasks that wait in a queue of pg-boss. */
export interface WaitingTasks {
  /** Queues the tasks in the transaction of `queries`: those of higher priority first, shards before all of them. */
  add(queries: Queries, tasks: readonly Task[]): Promise<void>;
  /** Returns the statement that queues those of the tasks whose evaluations its transaction has recorded. */
  addingRecorded(tasks: readonly Task[]): Promise<Statement>;
}

/** Of the jobs that pg-boss's statement is given as `$1`, those of evaluations that were just recorded: it knows no conditions. */
const OF_RECORDED = `(
  select json_agg(job)::text from json_array_elements($1::text::json) as job where ${isRecorded("job->'data'->>'evaluation'")})`;

/** Returns the tasks of the queue `name` of `boss`, which is started; jobs have these options. */
export function waitingTasks(boss: PgBoss, name: string, options: SendOptions): WaitingTasks {
  const jobOf = ({ trace, ...task }: Task) => {
    const priority = task.shard === undefined ? (task.priority ?? 0) : MAX_PRIORITY + 1; // what has begun comes first
    return { ...options, priority, data: { ...task, ...(trace && { trace }) } };
  };
  return {
    async add(queries, tasks) {
      const jobs = tasks.map((task) => jobOf({ ...task, trace: task.trace ?? traceparent() }));
      if (jobs.length > 0) await boss.insert(name, jobs, { db: transactionOf(queries) });
    },
    async addingRecorded(tasks) {
      const { text, parameters } = await statementOf((db) => boss.insert(name, tasks.map(jobOf), { db }));
      return { text: text.replaceAll("$1", () => OF_RECORDED), parameters };
    },
  };
}
