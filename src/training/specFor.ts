import { CollapsarError } from "../errors.ts";
import { DEFAULT_COEFFICIENT, type NetworkSpec, readSpec, STEMS, type Variant } from "../networks/spec.ts";
import { normalisationOf } from "./normalisation.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingSet } from "./trainingSet.ts";
import { TRAINED_VARIANTS } from "./variants.ts";

/**
 * Returns the network that `recipe` trains on `set`: geometry, classes and normalisation follow from the images.
 * @throws CollapsarError `wrong-shape` where they do not fit the recipe's variant, or any.
 */
export function specFor(recipe: Recipe, set: TrainingSet): NetworkSpec {
  const { channels, height, width, name } = set.dataset;
  const fitting = TRAINED_VARIANTS.filter((candidate) => {
    const { channels: taken, size } = STEMS[parsed(candidate).stem];
    return taken === channels && size?.height === height && size?.width === width;
  });
  const variant = recipe.variant ?? fitting[0];
  if (!variant || !fitting.includes(variant))
    throw new CollapsarError(
      "wrong-shape",
      `images of ${name} are ${channels}×${height}×${width}, which ${variant ? `variant ${variant} does not take` : "no variant takes"}`,
    );
  const { mean, std } = normalisationOf(set) ?? { mean: null, std: null };
  return {
    arch: recipe.arch,
    ...parsed(variant),
    coeff: DEFAULT_COEFFICIENT,
    channels,
    width: recipe.width,
    classes: set.classes,
    l2Norm: recipe.l2Norm,
    mean,
    std,
  };
}

function parsed(variant: string): Variant {
  return readSpec({ variant }).variant!;
}
