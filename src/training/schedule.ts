import type { Recipe } from "./recipe.ts";

/** `step`: falls at milestones. `cosine`: falls to nought along half a cosine. */
export const SCHEDULES = ["step", "cosine"] as const;
export type Schedule = (typeof SCHEDULES)[number];

/** What the learning rate is multiplied by at each milestone. */
export const MILESTONE_FACTOR = 0.1;

/** What of a recipe decides the learning rate. */
export type Rates = Pick<Recipe, "learningRate" | "schedule" | "milestones" | "warmupEpochs" | "epochs">;

/**
 * Returns the learning rate of `epoch` (the first is 1). In the w epochs of warm-up: η·epoch/(w + 1). Then by schedule:
 * `step`, η·0.1^m where m milestones have passed, as PyTorch's MultiStepLR; `cosine`, η·(1 + cos(π·t/T))/2, t of the T
 * epochs after the warm-up done, as its CosineAnnealingLR (Loshchilov and Hutter, arXiv 1608.03983, Eq. 5).
 */
export function learningRateAt(epoch: number, rates: Rates): number {
  const { learningRate, warmupEpochs } = rates;
  return epoch <= warmupEpochs ? (learningRate * epoch) / (warmupEpochs + 1) : SCHEDULED[rates.schedule](epoch, rates);
}

const SCHEDULED: Readonly<Record<Schedule, (epoch: number, rates: Rates) => number>> = {
  step(epoch, { learningRate, milestones }) {
    const passed = milestones.filter((milestone) => epoch > milestone);
    return passed.reduce((rate) => rate * MILESTONE_FACTOR, learningRate);
  },
  cosine(epoch, { learningRate, warmupEpochs, epochs }) {
    const done = (epoch - 1 - warmupEpochs) / (epochs - warmupEpochs);
    return (learningRate * (1 + Math.cos(Math.PI * done))) / 2;
  },
};
