import type { z } from "zod";
import { parseReference } from "../datasets/reference.ts";
import { CollapsarError } from "../errors.ts";
import { usualAugmentation } from "./augment.ts";
import { DEFAULTS } from "./preset.ts";
import { recipeSchema } from "./recipeSchema.ts";

type Complete = z.output<typeof recipeSchema>;

/** What a recipe may be made from: what is left out is as in the preset `ddu`, names follow from the rest. */
export type RecipeInput = Partial<Complete> & Pick<Complete, "dataset" | "loss" | "seed">;

/** All that decides the weights of one run, and what it is called. Plain data. */
export type Recipe = Readonly<Complete & Required<Pick<Complete, "augment" | "experiment" | "group" | "run">>>;

/**
 * Returns `input` as a complete recipe. Experiment: the dataset's name; group: the loss, and `+l2`; run: all of these
 * and the seed. The path of a dataset becomes its URL, for the recipe is read elsewhere too.
 * @throws CollapsarError `invalid-request` that names the option as the command line spells it, and what was expected;
 *   `unknown-dataset`.
 */
export function recipeOf(input: RecipeInput): Recipe {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  const parsed = recipeSchema.safeParse({ ...DEFAULTS, ...Object.fromEntries(given) });
  if (!parsed.success) throw invalid(parsed.error.issues[0]!);
  const recipe = parsed.data;
  if ((recipe.imagesPerEpoch ?? recipe.batchSize) < recipe.batchSize)
    throw new CollapsarError(
      "invalid-request",
      `images-per-epoch: expected at least one batch (${recipe.batchSize} images), got ${recipe.imagesPerEpoch}`,
    );
  if (recipe.schedule === "cosine" && recipe.warmupEpochs >= recipe.epochs)
    throw new CollapsarError(
      "invalid-request",
      `warmup-epochs: expected fewer than the ${recipe.epochs} epochs, got ${recipe.warmupEpochs}`,
    );
  const reference = parseReference(recipe.dataset);
  const augment = recipe.augment ?? usualAugmentation(reference.kind === "named" ? reference.dataset : "");
  const dataset = reference.kind === "named" ? reference.name : reference.url;
  const experiment = recipe.experiment ?? reference.name.replace(/[^A-Za-z0-9._-]+/g, "-");
  const group = recipe.group ?? recipe.loss + (recipe.l2Norm ? "+l2" : "");
  const run = recipe.run ?? `${experiment}-${group}-seed${recipe.seed}`;
  return { ...recipe, dataset, augment, experiment, group, run };
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
