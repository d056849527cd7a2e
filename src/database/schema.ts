import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { RecordDescription } from "./record.ts";

const time = () => timestamp({ withTimezone: true, mode: "date", precision: 3 });

/** A training run: what the seeds of a group are. */
export const runs = pgTable(
  "runs",
  {
    id: text().primaryKey(),
    experiment: text(),
    group: text(),
    seed: bigint({ mode: "number" }),
    labels: jsonb().$type<Readonly<Record<string, string>>>().notNull().default({}),
    createdAt: time().notNull().defaultNow(),
    /** When something was last recorded of it. */
    updatedAt: time().notNull().defaultNow(),
  },
  (run) => [index().on(run.experiment, run.id)],
);

/** A checkpoint of a run: which bytes it had after which epoch. */
export const checkpoints = pgTable(
  "checkpoints",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    runId: text()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    epoch: bigint({ mode: "number" }),
    sha256: text().notNull(),
    /** Where these bytes were first read. */
    url: text().notNull(),
    size: bigint({ mode: "number" }).notNull(),
    metadata: jsonb().$type<Readonly<Record<string, string>>>().notNull().default({}),
    createdAt: time().notNull().defaultNow(),
  },
  (checkpoint) => [
    unique("checkpoints_identity").on(checkpoint.runId, checkpoint.epoch, checkpoint.sha256).nullsNotDistinct(),
    index().on(checkpoint.sha256),
  ],
);

export const evaluationStatus = pgEnum("evaluation_status", ["queued", "running", "succeeded", "failed", "cancelled"]);

/** What the record keeps of a protocol: at least the training set; two protocols are equal when their digests are. */
export interface RecordedProtocol {
  readonly dataset: { readonly name: string; readonly digest: string };
}

/** What an evaluation is doing, and how far it is. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** Why an evaluation failed, or why its last attempt did. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** One attempt at an evaluation, as JSON has it. */
export interface LoggedAttempt {
  /** From 1. */
  readonly attempt: number;
  readonly startedAt: string;
  /** Null while it is under way, and where nobody heard of its end: its worker was lost. */
  readonly endedAt: string | null;
  /** What the evaluation was after it: `queued` where another attempt was to follow. */
  readonly status: string | null;
  readonly error: Failure | null;
}

export const tokenScope = pgEnum("token_scope", ["read", "submit", "admin"]);

/** Who may use the service. The token itself is shown once, when it is made, and kept nowhere. */
export const tokens = pgTable("tokens", {
  name: text().primaryKey(),
  scope: tokenScope().notNull(),
  /** Of the token, hex: 256 random bits need no salt and no slow digest. */
  sha256: text().notNull().unique(),
  createdAt: time().notNull().defaultNow(),
});

/** One request to evaluate one checkpoint, and what came of it. */
export const evaluations = pgTable(
  "evaluations",
  {
    /** A ULID: the order of ids is that of submission. */
    id: text().primaryKey(),
    status: evaluationStatus().notNull().default("queued"),
    /** As the caller sent it, checked, without the queries of its URLs. */
    request: jsonb().$type<Readonly<Record<string, unknown>>>().notNull(),
    /** The fields of `request` that had such a query, as they were; empty once it has ended. Null: none had. */
    presigned: jsonb().$type<Readonly<Record<string, unknown>>>(),
    requestKey: text().notNull(),
    force: boolean().notNull().default(false),
    checkpointUrl: text().notNull(),
    checkpointEtag: text().notNull(),
    checkpointSize: bigint({ mode: "number" }).notNull(),
    attempts: integer().notNull().default(0),
    /** How often it was queued anew after its end: a job of an earlier generation is not wanted any more. */
    generation: integer().notNull().default(0),
    attemptLog: jsonb().$type<readonly LoggedAttempt[]>().notNull().default([]),
    progress: jsonb().$type<Progress>(),
    error: jsonb().$type<Failure>(),
    /** What the worker found the checkpoint to be. */
    checkpointId: bigint({ mode: "number" }).references(() => checkpoints.id, { onDelete: "cascade" }),
    /** Run and epoch of the checkpoint, copied by a trigger, so that one index has all that is asked before the values. */
    runId: text(),
    epoch: bigint({ mode: "number" }),
    protocol: text(),
    protocolParts: jsonb().$type<RecordedProtocol>(),
    /** Name of the training set. */
    dataset: text().generatedAlwaysAs(sql`protocol_parts -> 'dataset' ->> 'name'`),
    /** What ran the network. */
    engine: jsonb().$type<{ readonly version: string; readonly device: string }>(),
    /** The evaluation that had recorded the same identity before; this one then has no values of its own. */
    sameAs: text(),
    /** Per metric that was left out, the reason. */
    omitted: jsonb().$type<Readonly<Record<string, string>>>(),
    /** URLs that are told when it has ended. */
    webhooks: text().array().notNull().default([]),
    /** Wall-clock seconds per step. */
    seconds: jsonb().$type<Readonly<Record<string, number>>>(),
    createdAt: time().notNull().defaultNow(),
    startedAt: time(),
    finishedAt: time(),
  },
  (evaluation) => [
    foreignKey({ columns: [evaluation.sameAs], foreignColumns: [evaluation.id] }).onDelete("cascade"),
    // Two submissions of the same thing at the same moment become one evaluation.
    uniqueIndex("evaluations_request")
      .on(evaluation.requestKey)
      .where(sql`not ${evaluation.force} and ${evaluation.status} in ('queued', 'running', 'succeeded')`),
    // An identity (checkpoint, protocol) is recorded once, whatever the workers do; only `force` adds to it.
    uniqueIndex("evaluations_identity")
      .on(evaluation.checkpointId, evaluation.protocol)
      .where(sql`not ${evaluation.force} and ${evaluation.sameAs} is null and ${evaluation.status} = 'succeeded'`),
    // Those that count come first of each run, protocol and epoch: without the table, without sorting.
    index("evaluations_counted")
      .on(
        evaluation.runId,
        evaluation.protocol,
        evaluation.epoch.desc().nullsLast(),
        evaluation.finishedAt.desc(),
        evaluation.id.desc(),
        evaluation.dataset,
      )
      .where(sql`${evaluation.sameAs} is null and ${evaluation.status} = 'succeeded'`),
    // What lists of evaluations are asked for, and what goes with a run that is deleted.
    index().on(evaluation.status, evaluation.id),
    index().on(evaluation.checkpointId),
    // A hash, for an escaped URL may be longer than a B-tree takes.
    index("evaluations_checkpoint_url").using("hash", evaluation.checkpointUrl),
    index().on(evaluation.dataset, evaluation.id),
    // Those whose checkpoint has not been read are known by their request alone.
    index("evaluations_unread").on(evaluation.id).where(sql`${evaluation.checkpointId} is null`),
  ],
);

/** The numbers of an evaluation, in full double precision; what is not finite is refused. */
export const metricValues = pgTable(
  "metric_values",
  {
    evaluationId: text()
      .notNull()
      .references(() => evaluations.id, { onDelete: "cascade" }),
    name: text().notNull(),
    value: doublePrecision().notNull(),
  },
  (metric) => [
    primaryKey({ columns: [metric.evaluationId, metric.name] }),
    // One metric of many evaluations side by side: 52,500 of a million values in 5 ms.
    index("metric_values_of_name").on(metric.name, metric.evaluationId, metric.value),
    // PostgreSQL sorts NaN above Infinity and holds it equal to itself, so this one bound refuses both.
    check("metric_values_finite", sql`${metric.value} > '-Infinity' and ${metric.value} < 'Infinity'`),
  ],
);

/** What of an evaluation is no single number: curves, bins, matrices, for plots. Kept apart, for it is large and seldom read. */
export const evaluationDetails = pgTable("evaluation_details", {
  evaluationId: text()
    .primaryKey()
    .references(() => evaluations.id, { onDelete: "cascade" }),
  details: jsonb().$type<Readonly<Record<string, unknown>>>().notNull(),
});

/** Consecutive images of one set of an evaluation, `end` exclusive. */
export interface Share {
  /** `train`, `test`, `validation`, `ood:<name>`. */
  readonly part: string;
  readonly start: number;
  readonly end: number;
}

/** An evaluation that is cut into shards, until it has ended. */
export const shardedEvaluations = pgTable("sharded_evaluations", {
  evaluationId: text()
    .primaryKey()
    .references(() => evaluations.id, { onDelete: "cascade" }),
  /** What there will be to record besides the numbers. */
  description: jsonb().$type<RecordDescription>().notNull(),
  createdAt: time().notNull().defaultNow(),
});

/** One of the jobs that share the images of an evaluation. */
export const evaluationShards = pgTable(
  "evaluation_shards",
  {
    evaluationId: text().notNull(),
    index: integer().notNull(),
    shares: jsonb().$type<readonly Share[]>().notNull(),
    images: bigint({ mode: "number" }).notNull(),
    imagesDone: bigint({ mode: "number" }).notNull().default(0),
    /** When all of its features were in the store. */
    doneAt: time(),
  },
  (shard) => [
    primaryKey({ columns: [shard.evaluationId, shard.index] }),
    foreignKey({
      name: "evaluation_shards_of",
      columns: [shard.evaluationId],
      foreignColumns: [shardedEvaluations.evaluationId],
    }).onDelete("cascade"),
  ],
);
