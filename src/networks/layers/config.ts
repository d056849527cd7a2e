import { z } from "zod";
import { type KerasLayer, unsupported } from "./topology.ts";

/** Returns a layer's configuration. @throws CollapsarError `unsupported-network` that names the layer and the setting. */
export function configOf<T>(schema: z.ZodType<T>, { name, className, config }: KerasLayer): T {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const given = JSON.stringify(config[String(path[0])])?.slice(0, 128) ?? "missing";
  throw unsupported(`layer "${name}" (${className}): ${String(path[0])} is ${given}: ${message}`);
}

const MAX_LENGTH = 2 ** 20;
const MAX_SIDE = 1024;

/** Channels or units. */
export const length = z.number().int().min(1).max(MAX_LENGTH);

const pair = (side: z.ZodNumber) =>
  z.preprocess((value) => (typeof value === "number" ? [value, value] : value), z.tuple([side, side]));

/** A kernel or stride, the same along both sides. */
export const square = pair(z.number().int().min(1).max(MAX_SIDE))
  .refine(([height, width]) => height === width, "expected the same along both sides")
  .transform(([side]) => side);

/** A dilation or number of groups, of which we compute one alone. */
export const one = pair(z.number())
  .refine((both) => both.every((value) => value === 1), "expected 1")
  .optional();

const side = z.number().int().nonnegative().max(MAX_SIDE);

/** Zeros above and below, to the left and to the right: one number for all, one for each direction, or four. */
export const sides = z.preprocess(
  (value) => {
    const both = typeof value === "number" ? [value, value] : value;
    return Array.isArray(both) ? both.map((one) => (typeof one === "number" ? [one, one] : one)) : both;
  },
  z.tuple([z.tuple([side, side]), z.tuple([side, side])]),
);

export const paddingName = z.enum(["valid", "same"]).default("valid");

export const channelsLast = z.literal("channels_last", "expected channels_last").nullish();

/** Returns the schema of a switch that is as given where it is absent. */
export function boolean(absent: boolean) {
  return z.boolean().default(absent);
}
