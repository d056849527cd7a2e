import { randomInt } from "node:crypto";
import { monotonicFactory } from "ulid";
import type { Queries } from "./database.ts";
import { type Evaluation, firstOfKey, getEvaluation } from "./evaluations.ts";
import { executePrepared, type Statement } from "./prepared.ts";

/** What `POST /evaluate` knows before the checkpoint is read. */
export interface Submission {
  /** The checked request, without the queries of its URLs. */
  readonly request: object;
  /** The fields of it that had such a query, as they were; null where none had. */
  readonly presigned: object | null;
  /** Digest of all that decides the result; two submissions with the same key are one, unless forced. */
  readonly requestKey: string;
  readonly checkpointUrl: string;
  readonly checkpointEtag: string;
  /** Bytes. */
  readonly checkpointSize: number;
  readonly force: boolean;
}

export interface Submitted {
  readonly evaluation: Evaluation;
  /** False where the same was submitted before, and that evaluation is returned. */
  readonly created: boolean;
}

/** Node.js keeps random bytes at hand for `randomInt`; the factory's own generator has each digit drawn anew. */
const nextId = monotonicFactory(() => randomInt(2 ** 32) / 2 ** 32);

/** What an evaluation is when it is recorded, besides what was submitted: as the schema's defaults have it. */
const FRESH = {
  status: "queued",
  attempts: 0,
  generation: 0 as const,
  attemptLog: [],
  progress: null,
  error: null,
  checkpointId: null,
  protocol: null,
  protocolParts: null,
  dataset: null,
  engine: null,
  sameAs: null,
  omitted: null,
  webhooks: [],
  seconds: null,
  startedAt: null,
  finishedAt: null,
  run: null,
  epoch: null,
  sha256: null,
  values: {},
} satisfies Partial<Evaluation>;

/** Where a transaction keeps the ids that it has recorded. */
const RECORDED = "collapsar.recorded";

/** One text and one parameter for any number of rows: to build and to plan a statement for each number takes longer than to run it. */
const SUBMIT = `
  with recorded as (
    insert into evaluations
      (id, request, presigned, request_key, checkpoint_url, checkpoint_etag, checkpoint_size, force)
    select * from jsonb_to_recordset($1) as submitted
      (id text, request jsonb, presigned jsonb, "requestKey" text, "checkpointUrl" text, "checkpointEtag" text,
       "checkpointSize" bigint, force boolean)
    on conflict do nothing
    returning id, created_at)
  select id, created_at, set_config('${RECORDED}', string_agg(id, ',') over (), true) from recorded`;

/**
 * What is true in the transaction that has recorded the evaluation `id`, an expression: for statements that are sent along with
 * it. To look for the row would take its time: while a table is small its index is not used, and plans are kept.
 */
export function isRecorded(id: string): string {
  return `${id} = any(string_to_array(current_setting('${RECORDED}', true), ','))`;
}

/** A submission that has an id, under which it may be recorded, and then is in its first generation. */
export interface Draft extends Submission {
  readonly id: string;
  readonly generation: 0;
  readonly request: Evaluation["request"];
  readonly presigned: Evaluation["presigned"];
}

/** Returns the submission with an id that no other has. */
export function draftOf(submission: Submission): Draft {
  const { request, presigned } = submission;
  return {
    ...submission,
    id: nextId(),
    generation: FRESH.generation,
    request: { ...request },
    presigned: presigned && { ...presigned },
  };
}

/** Returns the statement that records the drafts as queued; unless forced, not where the key has one that is unfinished or succeeded. */
export function recordingOf(drafts: readonly Draft[]): Statement {
  // in one order, so that no two transactions wait for each other; of one key the first comes first
  const ordered = drafts.toSorted((a, b) => Number(a.requestKey > b.requestKey) - Number(a.requestKey < b.requestKey));
  return { text: SUBMIT, parameters: [JSON.stringify(ordered)] };
}

/** Returns for each of the drafts its evaluation, or null where it was not recorded; `rows` are those of the statement. */
export function recordedOf(drafts: readonly Draft[], rows: readonly unknown[]): (Evaluation | null)[] {
  const createdAt = new Map((rows as Recorded[]).map(({ id, created_at }) => [id, new Date(created_at)]));
  return drafts.map((draft) => {
    const created = createdAt.get(draft.id);
    return created ? { ...FRESH, ...draft, createdAt: created } : null;
  });
}

/** Records the submission as queued, or returns the first of the same key that has not failed. */
export async function submitEvaluation(queries: Queries, submission: Submission): Promise<Submitted> {
  const draft = draftOf(submission);
  const [evaluation] = recordedOf([draft], await executePrepared(queries, recordingOf([draft])));
  if (evaluation) return { evaluation, created: true };
  const first = await firstOfKey(queries, submission.requestKey);
  if (first) return { evaluation: await getEvaluation(queries, first.id), created: false };
  return submitEvaluation(queries, submission); // the one in the way failed before it was read: the place is free
}

/** What `SUBMIT` returns of each that is new. */
interface Recorded {
  readonly id: string;
  readonly created_at: Date | string;
}
