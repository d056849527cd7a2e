import { and, desc, eq, isNull, sql } from "drizzle-orm";
import { CollapsarError } from "../errors.ts";
import type { Queries } from "./database.ts";
import { type Evaluation, getEvaluation, lockEvaluation } from "./evaluations.ts";
import { fillRun, type RunDescription } from "./runs.ts";
import { checkpoints, evaluationDetails, evaluations, metricValues, type RecordedProtocol } from "./schema.ts";
import { move } from "./states.ts";

/** The checkpoint as it was read. */
export interface CheckpointDescription {
  readonly epoch: number | null;
  /** Of the bytes, hex. */
  readonly sha256: string;
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What there is to record of an evaluation besides its numbers. */
export interface RecordDescription {
  readonly run: RunDescription;
  readonly checkpoint: CheckpointDescription;
  /** Digest of `protocolParts`. */
  readonly protocol: string;
  readonly protocolParts: RecordedProtocol;
  /** What ran the network, as far as the protocol does not say. */
  readonly engine: { readonly version: string; readonly device: string };
  /** Wall-clock seconds per step. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** What was measured. */
export interface Numbers {
  /** Finite numbers by metric. */
  readonly values: Readonly<Record<string, number>>;
  /** Per metric that was left out, the reason. */
  readonly omitted: Readonly<Record<string, string>>;
  /** What is no single number, or the JSON of that. */
  readonly details: Readonly<Record<string, unknown>> | string;
}

/** What an evaluation came to: numbers of its own, or those of another one, which are copied within the database. */
export type Outcome = RecordDescription & (Numbers | { readonly copyOf: string });

/**
 * Records the outcome of evaluation `id` with its run and checkpoint, all or nothing, and returns it as it then stands.
 * Where the identity (run, epoch, sha256, protocol) was recorded before, and this was not forced, the evaluation ends
 * as the same as that one and keeps no values of its own. One that has ended already stays as it is.
 * @throws CollapsarError `not-found`; `internal` that names a metric that is not finite; `conflict` (retryable) where what
 *   was to be copied is gone.
 */
export async function recordEvaluation(queries: Queries, id: string, outcome: Outcome): Promise<Evaluation> {
  if ("values" in outcome) requireFinite(outcome.values);
  return queries.orm.transaction(async (orm) => {
    const { unfinished, force } = await lockEvaluation({ orm }, id);
    if (unfinished) {
      await fillRun({ orm }, outcome.run);
      const checkpointId = await keepCheckpoint({ orm }, outcome);
      const first = force ? null : await findRecorded({ orm }, checkpointId, outcome.protocol);
      const omitted = "copyOf" in outcome ? await omittedOf({ orm }, outcome.copyOf) : outcome.omitted;
      await finish({ orm }, id, checkpointId, { ...outcome, omitted }, first);
      if (!first) await keepNumbers({ orm }, id, outcome);
    }
    return getEvaluation({ orm }, id);
  });
}

/**
 * Returns the newest evaluation of the same bytes with the same protocol, under whatever run and epoch, or null: its
 * numbers are those that running the network again would give.
 */
export async function findSameBytes(
  { orm }: Queries,
  { sha256, protocol }: { readonly sha256: string; readonly protocol: string },
): Promise<string | null> {
  const [found] = await orm
    .select({ id: evaluations.id })
    .from(evaluations)
    .innerJoin(checkpoints, eq(checkpoints.id, evaluations.checkpointId))
    .where(and(eq(checkpoints.sha256, sha256), eq(evaluations.protocol, protocol), RECORDED))
    .orderBy(desc(evaluations.finishedAt), desc(evaluations.id))
    .limit(1);
  return found?.id ?? null;
}

/** Evaluations that have values of their own, said as the indexes of these say it: of a parameter a prepared plan knows too little. */
export const RECORDED = and(sql`${evaluations.status} = 'succeeded'`, isNull(evaluations.sameAs))!;

async function keepCheckpoint({ orm }: Queries, { run, checkpoint }: Outcome): Promise<number> {
  const [kept] = await orm
    .insert(checkpoints)
    .values({ runId: run.id, ...checkpoint })
    .onConflictDoUpdate({
      target: [checkpoints.runId, checkpoints.epoch, checkpoints.sha256],
      set: { url: sql`${checkpoints.url}` }, // changes nothing, but returns the row
    })
    .returning({ id: checkpoints.id });
  return kept!.id;
}

async function findRecorded({ orm }: Queries, checkpointId: number, protocol: string): Promise<string | null> {
  const [first] = await orm
    .select({ id: evaluations.id })
    .from(evaluations)
    .where(and(eq(evaluations.checkpointId, checkpointId), eq(evaluations.protocol, protocol), RECORDED))
    .orderBy(desc(evaluations.finishedAt), desc(evaluations.id))
    .limit(1);
  return first?.id ?? null;
}

async function finish(
  queries: Queries,
  id: string,
  checkpointId: number,
  { protocol, protocolParts, engine, omitted, seconds }: RecordDescription & Pick<Numbers, "omitted">,
  sameAs: string | null,
): Promise<void> {
  const recorded = { checkpointId, protocol, protocolParts, engine, sameAs, omitted, seconds };
  await move(queries, { id }, "succeed", { ...recorded, error: null, finishedAt: sql`now()` });
}

async function omittedOf({ orm }: Queries, id: string): Promise<Numbers["omitted"]> {
  const [kept] = await orm.select({ omitted: evaluations.omitted }).from(evaluations).where(eq(evaluations.id, id));
  if (kept) return kept.omitted ?? {};
  throw new CollapsarError("conflict", `evaluation "${id}", whose numbers these are, is gone`, { retryable: true });
}

async function keepNumbers({ orm }: Queries, evaluationId: string, outcome: Outcome): Promise<void> {
  if ("copyOf" in outcome) {
    const { copyOf } = outcome;
    await orm.execute(sql`insert into ${metricValues} (evaluation_id, name, value)
      select ${evaluationId}, name, value from ${metricValues} where evaluation_id = ${copyOf}`);
    await orm.execute(sql`insert into ${evaluationDetails} (evaluation_id, details)
      select ${evaluationId}, details from ${evaluationDetails} where evaluation_id = ${copyOf}`);
    return;
  }
  const { values, details } = outcome;
  const rows = Object.entries(values).map(([name, value]) => ({ evaluationId, name, value }));
  if (rows.length > 0) await orm.insert(metricValues).values(rows);
  const json = typeof details === "string" ? sql`${details}::jsonb` : details;
  await orm.insert(evaluationDetails).values({ evaluationId, details: json });
}

function requireFinite(values: Numbers["values"]): void {
  const offender = Object.entries(values).find(([, value]) => !Number.isFinite(value));
  if (!offender) return;
  const [name, value] = offender;
  throw new CollapsarError("internal", `metric ${name} is ${value}, expected a finite number`, { retryable: false });
}
