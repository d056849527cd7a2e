import { z } from "zod";
import { parseReference } from "../datasets/reference.ts";
import { CollapsarError } from "../errors.ts";
import { ARCHITECTURES } from "../networks/spec.ts";
import { LOSSES } from "./losses/loss.ts";

const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,127}$/, "expected 1 to 128 letters, digits or . _ : + @ -");
const whole = (least: number) => {
  const expected = `expected a whole number from ${least}`;
  return z.int(expected).min(least, expected);
};
const number = (expected: string, holds: (value: number) => boolean) => z.number(expected).refine(holds, expected);
const oneOf = <T extends string>(names: readonly T[]) => z.enum(names, `expected one of ${names.join(", ")}`);

/** Variants that are trained here. */
export const TRAINED_VARIANTS = ["cifar", "mnist"] as const;

/** The training of DDU (arXiv 2102.11582) and of the paper we follow (arXiv 2209.08378). */
export const DEFAULTS = {
  arch: "resnet18",
  width: 64,
  epochs: 350,
  batchSize: 128,
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 5e-4,
  milestones: [150, 250],
} as const;

const recipeSchema = z.object({
  dataset: z.string().min(1, "expected a name (digits, …) or a URL"),
  arch: oneOf(ARCHITECTURES).default(DEFAULTS.arch),
  /** By the geometry of the images where it is not given. */
  variant: oneOf(TRAINED_VARIANTS).optional(),
  width: whole(1).default(DEFAULTS.width),
  l2Norm: z.boolean().default(false),
  loss: oneOf(LOSSES),
  seed: whole(0),
  epochs: whole(1).default(DEFAULTS.epochs),
  batchSize: whole(2).default(DEFAULTS.batchSize),
  learningRate: number("expected a positive number", (value) => value > 0).default(DEFAULTS.learningRate),
  momentum: number("expected a number from 0 and below 1", (value) => value >= 0 && value < 1).default(
    DEFAULTS.momentum,
  ),
  weightDecay: number("expected 0 or a positive number", (value) => value >= 0).default(DEFAULTS.weightDecay),
  /** Epochs after which the learning rate falls to a tenth. */
  milestones: z.array(whole(1)).default([...DEFAULTS.milestones]),
  /** An epoch takes only this many images, the first of its order; all where it is not given. */
  imagesPerEpoch: whole(1).optional(),
  experiment: identifier.optional(),
  group: identifier.optional(),
  run: identifier.optional(),
});

/** What a recipe may be made from: what is left out gets its default, names follow from the rest. */
export type RecipeInput = z.input<typeof recipeSchema>;

/** All that decides the weights of one run, and what it is called. Plain data. */
export type Recipe = Readonly<z.output<typeof recipeSchema> & { experiment: string; group: string; run: string }>;

/**
 * Returns `input` as a complete recipe. Experiment: the dataset's name; group: the loss, and `+l2`; run: all of these
 * and the seed. The path of a dataset becomes its URL, for the recipe is read elsewhere too.
 * @throws CollapsarError `invalid-request` that names the option as the command line spells it, and what was expected;
 *   `unknown-dataset`.
 */
export function recipeOf(input: RecipeInput): Recipe {
  const parsed = recipeSchema.safeParse(input);
  if (!parsed.success) throw invalid(parsed.error.issues[0]!);
  const recipe = parsed.data;
  if ((recipe.imagesPerEpoch ?? recipe.batchSize) < recipe.batchSize)
    throw new CollapsarError(
      "invalid-request",
      `images-per-epoch: expected at least one batch (${recipe.batchSize} images), got ${recipe.imagesPerEpoch}`,
    );
  const reference = parseReference(recipe.dataset);
  const dataset = reference.kind === "named" ? reference.name : reference.url;
  const experiment = recipe.experiment ?? reference.name.replace(/[^A-Za-z0-9._-]+/g, "-");
  const group = recipe.group ?? recipe.loss + (recipe.l2Norm ? "+l2" : "");
  const run = recipe.run ?? `${experiment}-${group}-seed${recipe.seed}`;
  return { ...recipe, dataset, experiment, group, run };
}

/** What a batch varies: every combination is one run. */
export interface Grid {
  readonly losses: readonly Recipe["loss"][];
  readonly seeds: readonly number[];
  /** Default: without L2 normalisation only. */
  readonly l2Norms?: readonly boolean[];
}

/**
 * Returns the recipes of a batch, seed by seed, so that all groups have their first seed early.
 * @throws CollapsarError as `recipeOf`.
 */
export function gridOf(
  shared: Omit<RecipeInput, "loss" | "seed" | "l2Norm" | "run">,
  { losses, seeds, l2Norms = [false] }: Grid,
): Recipe[] {
  return seeds.flatMap((seed) =>
    losses.flatMap((loss) => l2Norms.map((l2Norm) => recipeOf({ ...shared, loss, seed, l2Norm }))),
  );
}

function invalid({ path, message }: z.core.$ZodIssue): CollapsarError {
  const option = String(path[0] ?? "recipe").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new CollapsarError("invalid-request", `${option}: ${message}`);
}
