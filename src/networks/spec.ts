import { z } from "zod";
import { CollapsarError } from "../errors.ts";
import { ARCHITECTURES, type Architecture, type NetworkKey, STEM_NAMES, STEMS, type Stem } from "./family.ts";

export { ARCHITECTURES, type Architecture, NETWORK_KEYS, STAGES, STEM_NAMES, STEMS, type Stem } from "./family.ts";

/** Coefficient of the spectral normalisation in DDU's training, unless told otherwise. */
export const DEFAULT_COEFFICIENT = 3;

/** A stem and DDU's options, written `cifar+mod+sn`. */
export interface Variant {
  readonly stem: Stem;
  /** Leaky ReLU, and shortcuts without parameters: average pool, then zero channels. */
  readonly mod: boolean;
  /** Spectral normalisation of every convolution. */
  readonly sn: boolean;
}

/** Everything that tells one network of the family from another, trained numbers aside. */
export interface NetworkSpec extends Variant {
  readonly arch: Architecture;
  /** Of the images. */
  readonly channels: number;
  /** Of the spectral normalisation: the operator norm a convolution may have. */
  readonly coeff: number;
  /** Channels of the first stage; DDU's networks have 64. */
  readonly width: number;
  readonly classes: number;
  /** Features divided by their L2 norm before the classifier (arXiv 2209.08378). */
  readonly l2Norm: boolean;
  /** Per channel, of pixel/255; null where unknown. */
  readonly mean: readonly number[] | null;
  readonly std: readonly number[] | null;
}

const VARIANT = new RegExp(`^(${STEM_NAMES.join("|")})(\\+mod)?(\\+sn)?$`);

const positiveInteger = z.string().regex(/^[1-9]\d{0,5}$/, "expected a positive integer");
const positive = z
  .string()
  .transform(Number)
  .refine((value) => Number.isFinite(value) && value > 0, "expected a positive number");
const numbers = z
  .string()
  .transform((text) => text.split(",").map(Number))
  .refine((list) => list.every(Number.isFinite), "expected comma-separated numbers");
const variant = z
  .string()
  .regex(VARIANT, `expected ${STEM_NAMES.join(", ")}, then +mod, +sn or +mod+sn`)
  .transform(parseVariant)
  .refine(({ stem, mod }) => !(mod && STEMS[stem].size === null), "mod is for images of a fixed size: cifar or mnist");

const metadataKeys = z.object({
  arch: z.enum(ARCHITECTURES).optional(),
  variant: variant.optional(),
  coeff: positive.optional(),
  width: positiveInteger.transform(Number).optional(),
  classes: positiveInteger.transform(Number).optional(),
  l2_norm: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional(),
  mean: numbers.optional(),
  std: numbers.refine((list) => list.every((value) => value > 0), "expected positive numbers").optional(),
} satisfies Record<NetworkKey, z.ZodType>);

/** What metadata say of a network; a key they lack is undefined. */
export type StatedSpec = z.infer<typeof metadataKeys>;

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

/**
 * Returns the spec made of what is stated and of what was seen in the tensors, where nothing is stated.
 * @throws CollapsarError `invalid-metadata` where mean or std are not one number per channel.
 */
export function completeSpec(
  stated: StatedSpec,
  seen: Variant & Pick<NetworkSpec, "arch" | "channels" | "width" | "classes">,
): NetworkSpec {
  const { stem, mod, sn } = stated.variant ?? seen;
  const { channels } = seen;
  for (const key of ["mean", "std"] as const)
    if (stated[key] && stated[key].length !== channels)
      throw new CollapsarError(
        "invalid-metadata",
        `network metadata ${key} has ${stated[key].length} numbers, expected one per channel (${channels})`,
      );
  return {
    arch: stated.arch ?? seen.arch,
    stem,
    mod,
    sn,
    channels,
    coeff: stated.coeff ?? DEFAULT_COEFFICIENT,
    width: stated.width ?? seen.width,
    classes: stated.classes ?? seen.classes,
    l2Norm: stated.l2_norm ?? false,
    mean: stated.mean ?? null,
    std: stated.std ?? null,
  };
}

/** Returns the metadata that describe `spec`, as strings: the inverse of `readSpec`. */
export function specMetadata(spec: NetworkSpec): Record<string, string> {
  return {
    arch: spec.arch,
    variant: `${spec.stem}${spec.mod ? "+mod" : ""}${spec.sn ? "+sn" : ""}`,
    ...(spec.sn && { coeff: String(spec.coeff) }),
    width: String(spec.width),
    classes: String(spec.classes),
    l2_norm: String(spec.l2Norm),
    ...(spec.mean && { mean: spec.mean.join(",") }),
    ...(spec.std && { std: spec.std.join(",") }),
  };
}

function parseVariant(text: string): Variant {
  const [, stem, mod, sn] = VARIANT.exec(text)!;
  return { stem: stem as Stem, mod: mod !== undefined, sn: sn !== undefined };
}
