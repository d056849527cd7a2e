import { and, eq, inArray } from "drizzle-orm";
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
const TRANSITIONS = {
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

/**
 * Moves evaluation `id` on, sets `changes` with it, and returns whether it did: an evaluation in a state that the
 * transition does not start from stays as it is.
 */
export async function move(
  { orm }: Queries,
  id: string,
  transition: keyof typeof TRANSITIONS,
  changes: PgUpdateSetSource<typeof evaluations> = {},
): Promise<boolean> {
  const { from, to }: Transition = TRANSITIONS[transition];
  const moved = await orm
    .update(evaluations)
    .set({ ...changes, status: to })
    .where(and(eq(evaluations.id, id), inArray(evaluations.status, [...from])))
    .returning({ id: evaluations.id });
  return moved.length > 0;
}

/** Returns the condition that it is evaluation `id`, and that has not ended. */
export function unfinished(id: string) {
  return and(eq(evaluations.id, id), inArray(evaluations.status, UNFINISHED));
}
