import { and, count, eq, getTableColumns, inArray, not, sql } from "drizzle-orm";
import { CollapsarError } from "../errors.ts";
import type { Queries } from "./database.ts";
import { checkpoints, evaluationDetails, evaluations, type Failure, metricValues, type Progress } from "./schema.ts";
import { type EvaluationStatus, isUnfinished, type Life, move, UNFINISHED } from "./states.ts";

/** An evaluation without its numbers. `run`, `epoch` and `sha256` are null until the checkpoint has been read. */
export type EvaluationSummary = Omit<typeof evaluations.$inferSelect, "runId"> & {
  readonly run: string | null;
  readonly sha256: string | null;
};

/** An evaluation with its numbers: those of the evaluation it is the same as, where it is. */
export type Evaluation = EvaluationSummary & { readonly values: Readonly<Record<string, number>> };

/** Returns the evaluation `id`. @throws CollapsarError `not-found`. */
export async function getEvaluation(queries: Queries, id: string): Promise<Evaluation> {
  const [summary] = await selectSummaries(queries).where(eq(evaluations.id, id));
  if (!summary) throw new CollapsarError("not-found", `there is no evaluation "${id}"`);
  const values = await queries.orm
    .select({ name: metricValues.name, value: metricValues.value })
    .from(metricValues)
    .where(eq(metricValues.evaluationId, summary.sameAs ?? id))
    .orderBy(metricValues.name);
  return { ...summary, values: Object.fromEntries(values.map(({ name, value }) => [name, value])) };
}

/** Returns what of evaluation `id` is no single number; empty where nothing was kept. @throws CollapsarError `not-found`. */
export async function getDetails(queries: Queries, id: string): Promise<Readonly<Record<string, unknown>>> {
  const { sameAs } = await getEvaluation(queries, id);
  const [kept] = await queries.orm
    .select({ details: evaluationDetails.details })
    .from(evaluationDetails)
    .where(eq(evaluationDetails.evaluationId, sameAs ?? id));
  return kept?.details ?? {};
}

/** Returns how many evaluations wait and how many run. */
export async function countUnfinished({ orm }: Queries): Promise<{ queued: number; running: number }> {
  const rows = await orm
    .select({ status: evaluations.status, count: count() })
    .from(evaluations)
    .where(inArray(evaluations.status, UNFINISHED))
    .groupBy(evaluations.status);
  const of = (status: EvaluationStatus) => rows.find((row) => row.status === status)?.count ?? 0;
  return { queued: of("queued"), running: of("running") };
}

/**
 * Says that an attempt begins, and returns the evaluation, or null where nothing is to be done: it has ended already, or
 * was queued anew since.
 */
export async function startEvaluation(queries: Queries, id: string, generation?: number): Promise<Evaluation | null> {
  const changes = { attempts: sql`${evaluations.attempts} + 1`, startedAt: sql`now()`, progress: null };
  return (await move(queries, { id, generation }, "start", changes)) ? getEvaluation(queries, id) : null;
}

/** Notes how far the attempt is. */
export async function reportProgress({ orm }: Queries, id: string, progress: Progress): Promise<void> {
  await orm
    .update(evaluations)
    .set({ progress })
    .where(and(eq(evaluations.id, id), eq(evaluations.status, "running")));
}

/**
 * Says that the evaluation waits for another attempt, and why, unless the last one was only stopped. Returns whether it
 * does: one that has ended, or was queued anew since, stays as it is.
 */
export function postponeEvaluation(queries: Queries, life: Life, error?: Failure): Promise<boolean> {
  return move(queries, life, "postpone", { error });
}

/** Ends the evaluation as failed, and returns whether that is new: one that has ended, or was queued anew, stays as it is. */
export function failEvaluation(queries: Queries, life: Life, error: Failure): Promise<boolean> {
  return move(queries, life, "fail", { error, finishedAt: sql`now()` });
}

/** Ends the evaluation as cancelled, and returns whether that is new: one that has ended stays as it is. */
export function cancelEvaluation(queries: Queries, id: string): Promise<boolean> {
  return move(queries, { id }, "cancel", { finishedAt: sql`now()` });
}

/** Returns the one of a key that is unfinished or succeeded and was not forced, as the unique index `evaluations_request` has it. */
export async function firstOfKey({ orm }: Queries, requestKey: string): Promise<{ id: string } | undefined> {
  const [first] = await orm
    .select({ id: evaluations.id })
    .from(evaluations)
    .where(
      and(
        eq(evaluations.requestKey, requestKey),
        not(evaluations.force),
        inArray(evaluations.status, [...UNFINISHED, "succeeded"]),
      ),
    );
  return first;
}

/**
 * Lets an evaluation that failed or was cancelled wait again, in its next generation; its last error shows until it succeeds.
 * @throws CollapsarError `not-found`; `conflict` where it has not failed, was presigned, or the same was submitted again since.
 */
export async function retryEvaluation(queries: Queries, id: string): Promise<Evaluation> {
  const { status, requestKey, force, presigned } = await getEvaluation(queries, id);
  const since = force ? undefined : await firstOfKey(queries, requestKey);
  if (since && since.id !== id) throw submittedSince(`evaluation "${since.id}" stands`);
  if (!isUnfinished({ status }) && presigned)
    throw new CollapsarError(
      "conflict",
      `evaluation "${id}" read a URL with a query, which is not kept: submit it again`,
    );
  const generation = sql`${evaluations.generation} + 1`;
  const changes = { generation, progress: null, startedAt: null, finishedAt: null };
  const moved = await move(queries, { id }, "retry", changes).catch((error) => {
    if (isTaken(error)) throw submittedSince("another evaluation stands"); // at this very moment
    throw error;
  });
  if (!moved)
    throw new CollapsarError("conflict", `evaluation "${id}" is ${status}, expected one that failed or was cancelled`);
  return getEvaluation(queries, id);
}

function submittedSince(who: string): CollapsarError {
  return new CollapsarError("conflict", `the same was submitted again since: ${who} for it`);
}

/** Whether the database refused a second row of one key. */
function isTaken(error: unknown): boolean {
  const { cause } = error as Error;
  return cause instanceof Error && "code" in cause && cause.code === "23505";
}

/**
 * Returns which of these evaluations nobody waits for in that generation, and which are at work for longer than the
 * seconds that their request allows (`timeout`).
 */
export async function findUnwanted(
  { orm }: Queries,
  lives: readonly Life[],
): Promise<{ ended: readonly Life[]; overdue: readonly (Life & { readonly seconds: number })[] }> {
  const seconds = sql<number>`(${evaluations.request} ->> 'timeout')::float8`;
  const rows = await orm
    .select({
      id: evaluations.id,
      generation: evaluations.generation,
      status: evaluations.status,
      late: sql<boolean | null>`now() > ${evaluations.startedAt} + make_interval(secs => ${seconds})`,
      seconds,
    })
    .from(evaluations)
    .where(inArray(evaluations.id, [...new Set(lives.map(({ id }) => id))]));
  const wanted = new Map(rows.filter(isUnfinished).map((row) => [row.id, row])); // a row may be gone with its run
  const isWanted = ({ id, generation }: Life) =>
    wanted.has(id) && (generation === undefined || generation === wanted.get(id)!.generation);
  return {
    ended: lives.filter((life) => !isWanted(life)),
    overdue: rows.filter(({ status, late }) => status === "running" && late),
  };
}

/**
 * Locks the evaluation until the end of the transaction, and says whether it has not ended.
 * @throws CollapsarError `not-found`.
 */
export async function lockEvaluation({ orm }: Queries, id: string): Promise<{ unfinished: boolean; force: boolean }> {
  const [evaluation] = await orm
    .select({ status: evaluations.status, force: evaluations.force })
    .from(evaluations)
    .where(eq(evaluations.id, id))
    .for("update");
  if (!evaluation) throw new CollapsarError("not-found", `there is no evaluation "${id}"`);
  const { status, force } = evaluation;
  return { unfinished: isUnfinished({ status }), force };
}

/** Returns the query of evaluations with what their checkpoints tell, to be narrowed. */
export function selectSummaries({ orm }: Queries) {
  const { runId: run, ...columns } = getTableColumns(evaluations);
  return orm
    .select({ ...columns, run, sha256: checkpoints.sha256 })
    .from(evaluations)
    .leftJoin(checkpoints, eq(checkpoints.id, evaluations.checkpointId))
    .$dynamic();
}
