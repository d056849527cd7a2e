import type { Storage } from "../storage/storage.ts";
import { epochOrder } from "./order.ts";
import type { Recipe } from "./recipe.ts";
import { epochLength } from "./run.ts";
import { openRunFolder } from "./runFolder.ts";
import { specFor } from "./specFor.ts";
import { describeTraining } from "./spectralNorm.ts";
import { trainerOf } from "./trainerOf.ts";
import { gather, type TrainingSet } from "./trainingSet.ts";

const BYTES_PER_NUMBER = 4;

/** The optimiser's state is kept of two epochs. */
const VELOCITIES = 2;

/** Steps are taken for at least as long, after a first one that is left out. */
const MEASURED_MILLISECONDS = 3000;

/** What is to do for one run. */
export interface RunPlan {
  readonly run: string;
  readonly group: string;
  readonly epochs: number;
  /** Epochs that are stored already. */
  readonly finished: number;
  /** Of an epoch. */
  readonly images: number;
  /** Bytes that will be stored. */
  readonly bytes: number;
}

/**
 * Returns what is to do for the run of `recipe` on its training set, below the URL `to`.
 * @throws CollapsarError `wrong-shape`, `invalid-request` where recipe and images do not fit; and as `Storage.list`.
 */
export async function planRun(recipe: Recipe, set: TrainingSet, to: string, storage: Storage): Promise<RunPlan> {
  const graph = describeTraining(specFor(recipe, set));
  const stored = await openRunFolder(storage, to, recipe, graph).checkpoints();
  const { run, group, epochs } = recipe;
  const finished = Math.max(0, ...[...stored.keys()].filter((epoch) => epoch <= epochs));
  const numbers = graph.parameters.reduce(
    (sum, { shape }) => sum + shape.reduce((size, length) => size * length, 1),
    0,
  );
  const files = epochs === finished ? 0 : epochs - finished + VELOCITIES;
  return { run, group, epochs, finished, images: epochLength(recipe, set), bytes: files * numbers * BYTES_PER_NUMBER };
}

/** Returns how many images per second a run of `recipe` trains on here, measured over some steps of it, nothing stored. */
export async function measureSpeed(recipe: Recipe, set: TrainingSet): Promise<number> {
  const graph = describeTraining(specFor(recipe, set));
  const trainer = await trainerOf(recipe, graph, set.classes, null);
  const { batchSize, learningRate, sampling, seed } = recipe;
  try {
    const batch = gather(set, epochOrder(sampling, set.labels, seed, 1).subarray(0, batchSize));
    await trainer.step(batch.images, batch.labels, learningRate);
    const begun = performance.now();
    let images = 0;
    do {
      await trainer.step(batch.images, batch.labels, learningRate);
      images += batchSize;
    } while (performance.now() - begun < MEASURED_MILLISECONDS);
    return (images / (performance.now() - begun)) * 1000;
  } finally {
    trainer.dispose();
  }
}
