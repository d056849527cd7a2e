import type { Recipe } from "./recipe.ts";

/** What the learning rate is multiplied by at each milestone. */
export const MILESTONE_FACTOR = 0.1;

/**
 * Returns the learning rate of `epoch` (the first is 1): the recipe's, times 0.1 for every milestone that so many epochs
 * have already passed, as PyTorch's MultiStepLR has it.
 */
export function learningRateAt(epoch: number, recipe: Pick<Recipe, "learningRate" | "milestones">): number {
  const passed = recipe.milestones.filter((milestone) => epoch > milestone);
  return passed.reduce((rate) => rate * MILESTONE_FACTOR, recipe.learningRate);
}
