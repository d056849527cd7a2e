import { and, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { PgUpdateSetSource } from "drizzle-orm/pg-core";
import type { Queries } from "./database.ts";
import { type evaluationStatus, evaluations } from "./schema.ts";

export type EvaluationStatus = (typeof evaluationStatus.enumValues)[number];

/** In these something is still to be done; in all others the evaluation has ended. */
export const UNFINISHED = ["queued", "running"] as const satisfies EvaluationStatus[];

/** Returns whether something is still to be done. */
export function isUnfinished({ status }: { readonly status: EvaluationStatus }): boolean {
  return status === "queued" || status === "running";
}

interface Transition {
  readonly from: readonly EvaluationStatus[];
  readonly to: EvaluationStatus;
}

/** Every way from one state of an evaluation to another. A new one is `queued`. */
export const TRANSITIONS = {
  /** An attempt begins; that of a worker that died was never said to have ended. */
  start: { from: UNFINISHED, to: "running" },
  /** Another attempt is to follow. */
  postpone: { from: UNFINISHED, to: "queued" },
  succeed: { from: UNFINISHED, to: "succeeded" },
  fail: { from: UNFINISHED, to: "failed" },
  cancel: { from: UNFINISHED, to: "cancelled" },
  /** Somebody wants it after all. */
  retry: { from: ["failed", "cancelled"], to: "queued" },
} satisfies Record<string, Transition>;

/** An evaluation as a job knows it: in this generation of it, else in whichever. */
export interface Life {
  readonly id: string;
  readonly generation?: number | undefined;
}

/**
 * Moves an evaluation on, sets `changes` with it, and returns whether it did: one of another generation, or in a state
 * that the transition does not start from, stays as it is. With its end the queries of its URLs are forgotten.
 */
export async function move(
  { orm }: Queries,
  { id, generation }: Life,
  transition: keyof typeof TRANSITIONS,
  changes: PgUpdateSetSource<typeof evaluations> = {},
): Promise<boolean> {
  const { from, to }: Transition = TRANSITIONS[transition];
  const presigned = sql`case when ${evaluations.presigned} is not null then '{}'::jsonb end`;
  const attemptLog = transition === "start" ? WITH_NEW_ATTEMPT : withEndedAttempt(to, changes.error);
  const moved = await orm
    .update(evaluations)
    .set({ ...changes, status: to, attemptLog, ...(!isUnfinished({ status: to }) && { presigned }) })
    .where(
      and(
        eq(evaluations.id, id),
        generation === undefined ? undefined : eq(evaluations.generation, generation),
        inArray(evaluations.status, [...from]),
      ),
    )
    .returning({ id: evaluations.id });
  return moved.length > 0;
}

/** The log with the attempt that begins. */
const WITH_NEW_ATTEMPT = sql`${evaluations.attemptLog} || jsonb_build_object('attempt', ${evaluations.attempts} + 1,
  'startedAt', now(), 'endedAt', null, 'status', null, 'error', null)`;

/** Returns the log in which the last attempt has ended, if it had not. */
function withEndedAttempt(status: EvaluationStatus, error: unknown): SQL {
  const log = sql`${evaluations.attemptLog}`;
  const end = sql`jsonb_build_object('endedAt', now(), 'status', ${status}::text, 'error', ${JSON.stringify(error ?? null)}::jsonb)`;
  return sql`case when ${log} -> -1 ->> 'endedAt' is null and ${log} <> '[]'
    then jsonb_set(${log}, '{-1}', (${log} -> -1) || ${end}) else ${log} end`;
}

/** Returns the condition that it is evaluation `id`, and that has not ended. */
export function unfinished(id: string) {
  return and(eq(evaluations.id, id), inArray(evaluations.status, UNFINISHED));
}
