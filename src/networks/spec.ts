import { z } from "zod";
import { CollapsarError } from "../errors.ts";

/** Depths of the four stages of basic blocks, by architecture. */
export const STAGE_DEPTHS = { resnet18: [2, 2, 2, 2] } as const;
export type Architecture = keyof typeof STAGE_DEPTHS;
export const ARCHITECTURES = Object.keys(STAGE_DEPTHS) as Architecture[];

/** Input geometry by stem: DDU's networks for 32×32 colour and for 28×28 grey images. */
export const STEMS = {
  cifar: { channels: 3, height: 32, width: 32 },
  mnist: { channels: 1, height: 28, width: 28 },
} as const;
export type Variant = keyof typeof STEMS;
export const VARIANTS = Object.keys(STEMS) as Variant[];

/** Everything that tells one network of the family from another, trained numbers aside. */
export interface NetworkSpec {
  readonly arch: Architecture;
  readonly variant: Variant;
  /** Channels of the first stage; DDU's networks have 64. */
  readonly width: number;
  readonly classes: number;
  /** Features divided by their L2 norm before the classifier (arXiv 2209.08378). */
  readonly l2Norm: boolean;
  /** Per channel, of pixel/255; null where unknown. */
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
}

const positiveInteger = z.string().regex(/^[1-9]\d{0,5}$/, "expected a positive integer");
const numbers = z
  .string()
  .transform((text) => text.split(",").map(Number))
  .refine((list) => list.every(Number.isFinite), "expected comma-separated numbers");

const metadataKeys = z.object({
  arch: z.enum(ARCHITECTURES).optional(),
  variant: z.enum(VARIANTS).optional(),
  width: positiveInteger.transform(Number).optional(),
  classes: positiveInteger.transform(Number).optional(),
  l2_norm: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional(),
  mean: numbers.optional(),
  std: numbers.refine((list) => list.every((value) => value > 0), "expected positive numbers").optional(),
});

/** What metadata say of a network; a key they lack is undefined. */
export type StatedSpec = z.infer<typeof metadataKeys>;

/** The metadata keys that describe a network. */
export const NETWORK_KEYS: readonly string[] = Object.keys(metadataKeys.shape);

/**
 * Returns what `metadata` (a checkpoint's, or a request's `network`) say of the network.
 * @throws CollapsarError `invalid-metadata` that names the key, its value and what was expected.
 */
export function readSpec(metadata: Readonly<Record<string, string>>): StatedSpec {
  const parsed = metadataKeys.safeParse(metadata);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const key = String(issue.path[0]);
  const message = `network metadata ${key}=${JSON.stringify(metadata[key])}: ${issue.message}`;
  throw new CollapsarError("invalid-metadata", message);
}

/** Returns the metadata that describe `spec`, as strings: the inverse of `readSpec`. */
export function specMetadata(spec: NetworkSpec): Record<string, string> {
  return {
    arch: spec.arch,
    variant: spec.variant,
    width: String(spec.width),
    classes: String(spec.classes),
    l2_norm: String(spec.l2Norm),
    ...(spec.mean && { mean: spec.mean.join(",") }),
    ...(spec.std && { std: spec.std.join(",") }),
  };
}
