import { z } from "@hono/zod-openapi";

/** The shapes of what the API answers; `/openapi.json` is made of them. */

const time = z.iso.datetime().openapi({ description: "ISO 8601, UTC" });
const values = z.record(z.string(), z.number()).openapi({ description: "metrics by name, at full double precision" });

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: "what was wrong and what was expected" }),
    code: z.string().openapi({ description: "for programs: missing-metadata, object-not-found, …" }),
    instance: z.string(),
  })
  .openapi("Problem");

export const evaluationSchema = z
  .object({
    id: z.string(),
    status: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
    checkpoint: z.object({ url: z.string(), size: z.int().nullable(), sha256: z.string().nullable() }),
    run: z.string().nullable(),
    epoch: z.int().nullable(),
    dataset: z.string().nullable(),
    values,
    omitted: z.record(z.string(), z.string()).openapi({ description: "metrics that could not be taken, and why" }),
    protocol: z
      .string()
      .nullable()
      .openapi({ description: "digest of everything but the checkpoint that decides the numbers" }),
    protocolParts: z.record(z.string(), z.unknown()).nullable(),
    sameAs: z.string().nullable().openapi({ description: "the evaluation that recorded these numbers first" }),
    progress: z.object({ stage: z.string(), done: z.number(), total: z.number() }).nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    attempts: z.int(),
    seconds: z.record(z.string(), z.number()).nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
  })
  .openapi("Evaluation");

export const runResourceSchema = z
  .object({
    id: z.string(),
    experiment: z.string().nullable(),
    group: z.string().nullable(),
    seed: z.int().nullable(),
    labels: z.record(z.string(), z.string()),
    checkpoints: z.int().openapi({ description: "evaluated checkpoints" }),
    lastEpoch: z.int().nullable(),
    createdAt: time,
  })
  .openapi("Run");

export const runListSchema = z
  .object({
    items: z.array(runResourceSchema),
    next: z.string().nullable().openapi({ description: "cursor of the next page" }),
  })
  .openapi("Runs");

export const runMetricsSchema = z
  .object({
    run: z.string(),
    metrics: z.array(
      z.object({
        evaluation: z.string(),
        checkpoint: z.object({ url: z.string(), sha256: z.string() }),
        epoch: z.int().nullable(),
        dataset: z.string(),
        protocol: z.string(),
        values,
      }),
    ),
  })
  .openapi("RunMetrics");

const number = z.number().nullable();

export const aggregateSchema = z
  .object({
    rows: z.array(
      z.object({
        group: z.string().nullable(),
        metric: z.string(),
        dataset: z.string(),
        protocol: z.string(),
        epochs: z.array(z.int().nullable()),
        epochsDiffer: z.boolean(),
        n: z.int(),
        mean: number,
        sd: number.openapi({ description: "sample standard deviation, n−1; null for n = 1" }),
        se: number,
        ci95: z
          .tuple([z.number(), z.number()])
          .nullable()
          .openapi({ description: "95 % Student-t interval of the mean" }),
        median: number,
        min: number,
        max: number,
        perSeed: z.array(
          z.object({ run: z.string(), seed: z.int().nullable(), epoch: z.int().nullable(), value: z.number() }),
        ),
      }),
    ),
  })
  .openapi("Aggregate");

export type EvaluationResource = z.infer<typeof evaluationSchema>;
export type RunMetrics = z.infer<typeof runMetricsSchema>;
export type Aggregate = z.infer<typeof aggregateSchema>;
export type RunList = z.infer<typeof runListSchema>;
