import { z } from "zod";
import { DEVICE_NAMES, ENGINE_NAMES } from "../engines/engine.ts";
import { CollapsarError } from "../errors.ts";
import { NETWORK_KEYS, readSpec } from "../networks/spec.ts";
import { MAX_SHARDS } from "./shards/limit.ts";

const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,127}$/, "expected 1 to 128 letters, digits or . _ : + @ -");

/** Text that PostgreSQL can keep: Unicode without NUL. */
const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "expected Unicode text without NUL");

const wholeNumber = z.int("expected a whole number from 0").min(0, "expected a whole number from 0");

const reference = text(2048).min(1);

/** No attempt takes longer, whatever is asked for. */
export const LONGEST_EVALUATION_SECONDS = 12 * 3600;

/** Either way. */
export const MAX_PRIORITY = 100;

const label = text(256);

/** Changes to the labels of a run: null removes one, what is not named stays. */
export const labelChangesSchema = z.record(identifier, label.nullable());

/** Where the checkpoint belongs; what is left out is taken from the checkpoint's own metadata. */
export const runSchema = z.strictObject({
  id: identifier.optional(),
  experiment: identifier.optional(),
  group: identifier.optional(),
  seed: wholeNumber.optional(),
  epoch: wholeNumber.optional(),
  labels: z.record(identifier, label).optional(),
});

const oodReference = z.union([
  reference,
  z.strictObject({
    set: reference,
    group: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "expected a short name such as near or far")
      .describe("its measures are averaged over the sets of the same group, as set `<group>-ood`"),
  }),
]);

/** What is asked of one evaluation: the body of `POST /evaluate`, and the options of `collapsar evaluate`. */
export const requestSchema = z.strictObject({
  checkpoint: reference.describe("URL of a checkpoint: s3://bucket/key, https://host/path or file:///path"),
  dataset: reference
    .optional()
    .describe("name (digits, fashion-mnist, …) or URL of the training set; default: the checkpoint's own"),
  test: reference.optional().describe("name or URL of the test set; default: the test part of a named dataset"),
  validation: reference
    .optional()
    .describe("name or URL of the set the temperature is fitted on; default: the part a network of ours did not see"),
  ood: z
    .array(oodReference)
    .max(64)
    .optional()
    .describe("names (their test parts) or URLs of out-of-distribution sets"),
  jitter: z
    .number()
    .min(0)
    .optional()
    .describe(
      "added to the covariances of gmm and mahalanobis, absolute; default: the least that lets them be factored",
    ),
  run: runSchema.optional(),
  network: z
    .record(z.string(), text(1024))
    .refine(
      (network) => Object.keys(network).every((key) => NETWORK_KEYS.includes(key)),
      `expected no other keys than ${NETWORK_KEYS.join(", ")}`,
    )
    .optional()
    .describe("overrides the checkpoint's metadata: arch, variant, coeff, width, classes, l2_norm, mean, std"),
  engine: z.enum(ENGINE_NAMES).optional(),
  device: z.enum(DEVICE_NAMES).optional(),
  shards: z
    .int()
    .min(1)
    .max(MAX_SHARDS)
    .optional()
    .describe("how many jobs share the images, on as many workers; default: 1, more for very many images"),
  timeout: z
    .int()
    .min(1)
    .max(LONGEST_EVALUATION_SECONDS)
    .optional()
    .describe("seconds after which an attempt that is not done ends as failed (timed-out); default: 12 hours"),
  priority: z
    .int()
    .min(-MAX_PRIORITY)
    .max(MAX_PRIORITY)
    .optional()
    .describe("of what waits, the highest is taken first, and of equals the oldest; default: 0"),
  webhook: reference
    .optional()
    .describe("https URL that is told when the evaluation has ended, by a signed POST (Standard Webhooks)"),
  force: z.boolean().optional().describe("compute anew even if this was evaluated before"),
});

/** Of one submission. */
export const MAX_CHECKPOINTS = 1000;

/** The body of `POST /evaluate`: one checkpoint, or several to be evaluated alike. */
export const submissionSchema = requestSchema.extend({
  checkpoint: z
    .union(
      [reference, z.array(reference).min(1).max(MAX_CHECKPOINTS)],
      `expected a URL, a pattern of URLs, or a list of 1 to ${MAX_CHECKPOINTS} URLs`,
    )
    .describe("URL of a checkpoint; a pattern such as s3://bucket/run-7/*.safetensors; or a list of URLs"),
});

export type EvaluationRequest = z.infer<typeof requestSchema>;

/**
 * Returns `value` as a checked request.
 * @throws CollapsarError `invalid-request` that names the field and what was expected.
 */
export function parseRequest(value: unknown): EvaluationRequest {
  return parse(requestSchema, value);
}

/**
 * Returns `value` as a checked request about one checkpoint, a pattern, or several.
 * @throws CollapsarError as `parseRequest`.
 */
export function parseSubmission(value: unknown): z.infer<typeof submissionSchema> {
  return parse(submissionSchema, value);
}

function parse<T extends z.infer<typeof submissionSchema>>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidRequest(parsed.error);
  readSpec(parsed.data.network ?? {}); // a bad override is refused before anything is queued
  return parsed.data;
}

/** Returns the error that names the first field zod found wrong. */
export function invalidRequest(error: z.ZodError): CollapsarError {
  const issue = error.issues[0]!;
  const field = issue.path.length > 0 ? `${issue.path.join(".")}: ` : "";
  return new CollapsarError("invalid-request", `${field}${issue.message}`);
}
