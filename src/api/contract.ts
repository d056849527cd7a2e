import { z } from "@hono/zod-openapi";

/** The shapes of what the API answers; `/openapi.json` is made of them. */

/** A time. */
export const time = z.iso.datetime().openapi({ description: "ISO 8601, UTC" });
const values = z.record(z.string(), z.number()).openapi({ description: "metrics by name, at full double precision" });

/** `nullable()` of a named schema would say that it is that schema and at the same time may be null. */
const orNull = <T extends z.ZodType>(schema: T) => z.union([schema, z.null()]);

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
    attemptLog: z
      .array(
        z.object({
          attempt: z.int(),
          startedAt: time,
          endedAt: time.nullable().openapi({ description: "null: under way, or its worker was lost" }),
          status: z.string().nullable().openapi({ description: "what the evaluation was after it" }),
          error: z.object({ code: z.string(), message: z.string() }).nullable(),
        }),
      )
      .openapi({ description: "what became of each attempt, the first one first" }),
    seconds: z.record(z.string(), z.number()).nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
  })
  .openapi("Evaluation");

export const submissionsSchema = z
  .object({
    items: z.array(
      z.object({
        checkpoint: z.string(),
        evaluation: orNull(evaluationSchema),
        error: orNull(problemSchema).openapi({ description: "why there is no evaluation" }),
      }),
    ),
  })
  .openapi("Submissions");

export const evaluationListSchema = z
  .object({
    items: z.array(evaluationSchema.omit({ values: true, attemptLog: true })),
    next: z.string().nullable().openapi({ description: "cursor of the next page" }),
  })
  .openapi("Evaluations");

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
    updatedAt: time.openapi({ description: "when something was last recorded of it" }),
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
/** Of a tuple OpenAPI 3.1 would be told what only 3.0 knows. */
const interval = z
  .tuple([z.number(), z.number()])
  .nullable()
  .openapi({ type: ["array", "null"], items: { type: "number" }, minItems: 2, maxItems: 2 });
/** Epochs; null is one that is not known. */
export const epochs = z.array(z.int().nullable());
const reason = z.string().nullable().openapi({ description: "why the numbers are null, where they are" });

/** A metric over seeds. */
export const summary = {
  n: z.int(),
  mean: number,
  sd: number.openapi({ description: "sample standard deviation, n−1; null for n = 1" }),
  se: number,
  ci95: interval.openapi({ description: "95 % Student-t interval of the mean" }),
  median: number,
  min: number,
  max: number,
};

const seed = { run: z.string(), seed: z.int().nullable() };

const missing = z
  .array(z.object({ ...seed, reason: z.string() }))
  .openapi({ description: "runs of the group that were evaluated on the dataset, but lack the value" });

export const aggregateSchema = z
  .object({
    rows: z.array(
      z.object({
        group: z.string().nullable(),
        metric: z.string(),
        dataset: z.string(),
        protocol: z.string(),
        epochs,
        epochsDiffer: z.boolean(),
        ...summary,
        perSeed: z.array(z.object({ ...seed, epoch: z.int().nullable(), value: z.number() })),
        missing,
      }),
    ),
  })
  .openapi("Aggregate");

const p = { p: number.openapi({ description: "two-sided" }), pHolm: number.openapi({ description: "over all rows" }) };
const tTest = z.object({ difference: number, ci95: interval, t: number, df: number, ...p, reason });
const side = z.object({ ...summary, epochs, missing });

export const comparisonSchema = z
  .object({
    a: z.string(),
    b: z.string(),
    rows: z.array(
      z.object({
        metric: z.string(),
        dataset: z.string(),
        protocol: z.string(),
        a: side,
        b: side,
        epochsDiffer: z.boolean(),
        sharedSeeds: z.array(z.int()),
        unpaired: z.array(z.object({ side: z.enum(["a", "b"]), ...seed, reason: z.string() })),
        welch: tTest.openapi({ description: "of a − b, independent samples" }),
        paired: tTest.openapi({ description: "of a − b over the shared seeds" }),
        wilcoxon: z
          .object({ n: z.int(), w: number, ...p, method: z.enum(["exact", "normal"]).nullable(), reason })
          .openapi({ description: "signed ranks over the shared seeds" }),
        hedges: z
          .object({ g: number, ci95: interval, reason })
          .openapi({ description: "Hedges' g of a − b, interval of Hedges and Olkin" }),
      }),
    ),
  })
  .openapi("Comparison");

const correlation = z.object({ r: number, p: number, ci95: interval, reason });
const coefficients = {
  n: z.int(),
  pearson: correlation.openapi({ description: "interval: percentile bootstrap over the runs" }),
  spearman: correlation,
};
const groupName = z.string().nullable();

export const correlationsSchema = z
  .object({
    x: z.string(),
    y: z.string(),
    rows: z.array(
      z.object({
        dataset: z.string(),
        protocol: z.string(),
        ...coefficients,
        groups: z.array(z.object({ group: groupName, ...coefficients })),
        points: z.array(
          z.object({ ...seed, group: groupName, epoch: z.int().nullable(), x: z.number(), y: z.number() }),
        ),
        missing: z.array(z.object({ ...seed, group: groupName, metric: z.string(), reason: z.string() })),
      }),
    ),
  })
  .openapi("Correlations");

export type EvaluationResource = z.infer<typeof evaluationSchema>;
export type Submissions = z.infer<typeof submissionsSchema>;
export type EvaluationList = z.infer<typeof evaluationListSchema>;
export type RunMetrics = z.infer<typeof runMetricsSchema>;
export type Aggregate = z.infer<typeof aggregateSchema>;
export type Comparison = z.infer<typeof comparisonSchema>;
export type Correlations = z.infer<typeof correlationsSchema>;
export type RunList = z.infer<typeof runListSchema>;
