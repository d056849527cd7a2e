import type { Graph } from "../networks/graph.ts";
import { initialiseParameters } from "./initialise.ts";
import { lossOf } from "./losses/loss.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingState } from "./runFolder.ts";
import { createTrainer, type Trainer } from "./step/trainer.ts";

/**
 * Returns the trainer that `recipe` asks for, of a network with `classes` classes: from `state` on, or from the seed's
 * weights where there is none. @throws CollapsarError as `createTrainer`.
 */
export function trainerOf(
  { loss, labelSmoothing, ncWeight, seed, engine, threads, momentum, weightDecay }: Recipe,
  graph: Graph,
  classes: number,
  state: TrainingState | null,
): Promise<Trainer> {
  const start = state ?? { parameters: initialiseParameters(graph, seed) };
  const minimised = lossOf(loss, classes, { labelSmoothing, ncWeight });
  return createTrainer({ graph, ...start, loss: minimised, engine, threads, momentum, weightDecay });
}
