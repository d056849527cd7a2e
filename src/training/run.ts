import { setImmediate } from "node:timers/promises";
import type { DatasetSources } from "../datasets/open.ts";
import { CollapsarError } from "../errors.ts";
import { specMetadata } from "../networks/spec.ts";
import { cropAndFlip } from "./augment.ts";
import { rejectKnownFailure, requireFiniteWeights, whenDiverged } from "./divergence.ts";
import type { RunProgress } from "./event.ts";
import { epochOrder } from "./order.ts";
import { originOf, rejectOtherOrigin } from "./origin.ts";
import { generatorOf } from "./random.ts";
import type { Recipe } from "./recipe.ts";
import { openRunFolder } from "./runFolder.ts";
import { learningRateAt } from "./schedule.ts";
import { specFor } from "./specFor.ts";
import { describeTraining } from "./spectralNorm.ts";
import type { Trainer } from "./step/trainer.ts";
import { trainerOf } from "./trainerOf.ts";
import { gather, openTrainingSet, type TrainingSet } from "./trainingSet.ts";

/**
 * Trains one run and pushes a checkpoint after each epoch below the URL `to`. Where the run has checkpoints there
 * already it goes on after the last, with the same weights in the end as if it had never stopped: nothing in a
 * checkpoint depends on when or how fast it was made. Stop it by leaving the loop over its events. A run whose numbers are
 * no longer finite ends there, and leaves a record of it: begun again, it ends at once.
 * @throws CollapsarError `conflict` where the run was begun with another recipe, `non-finite-loss` and `non-finite-weight`,
 *   `wrong-shape` where the images do not fit the variant, and what datasets and storage throw.
 */
export async function* trainRun(recipe: Recipe, to: string, sources: DatasetSources): AsyncGenerator<RunProgress> {
  const set = await openTrainingSet(recipe.dataset, sources);
  const spec = specFor(recipe, set);
  const graph = describeTraining(spec);
  const folder = openRunFolder(sources.storage, to, recipe, graph);
  const origin = originOf(recipe, spec, set);
  const found = await folder.checkpoints();
  const finished = Math.max(0, ...[...found.keys()].filter((epoch) => epoch <= recipe.epochs));
  if (finished > 0) rejectOtherOrigin(await folder.metadata(finished), origin, folder.url);
  const images = epochLength(recipe, set);
  const checkpoints = [...found].filter(([epoch]) => epoch <= finished).map(([, url]) => url);
  const at = { run: recipe.run, epoch: finished, epochs: recipe.epochs, image: 0, images };
  yield { ...at, phase: "started", loss: null, accuracy: null, imagesPerSecond: null, checkpoints };
  if (finished === recipe.epochs) return;
  await rejectKnownFailure(folder, origin);

  const trainer = await trainerOf(recipe, graph, set.classes, finished > 0 ? await folder.load(finished) : null);
  let epoch = finished + 1;
  try {
    for (; epoch <= recipe.epochs; epoch++) {
      const progress = yield* trainEpoch(trainer, set, recipe, epoch);
      const after = { parameters: trainer.parameters(), velocity: trainer.velocity() };
      requireFiniteWeights(after.parameters, epoch);
      const checkpoint = await folder.save(epoch, after, {
        ...{ ...specMetadata(spec), ...origin, epoch: String(epoch) },
        ...{ training_loss: String(progress.loss), training_accuracy: String(progress.accuracy) },
      });
      yield { ...progress, phase: "pushed", checkpoints: [checkpoint] };
    }
  } catch (error) {
    await whenDiverged(error, (failure) => folder.recordFailure({ ...failure, epoch, ...origin }));
    throw error;
  } finally {
    trainer.dispose();
  }
}

/** Trains one epoch, yields its progress after every batch and returns the last of it. */
async function* trainEpoch(
  trainer: Trainer,
  set: TrainingSet,
  recipe: Recipe,
  epoch: number,
): AsyncGenerator<RunProgress, RunProgress> {
  const order = epochOrder(recipe.sampling, set.labels, recipe.seed, epoch);
  const images = epochLength(recipe, set);
  const rate = learningRateAt(epoch, recipe);
  const begun = performance.now();
  const at = { run: recipe.run, phase: "training", epoch, epochs: recipe.epochs, images, checkpoints: [] } as const;
  let progress: RunProgress = { ...at, image: 0, loss: null, accuracy: null, imagesPerSecond: null };
  let [loss, correct] = [0, 0];
  for (let image = recipe.batchSize; image <= images; image += recipe.batchSize) {
    const batch = gather(set, order.subarray(image - recipe.batchSize, image));
    const step = await trainer.step(augment(batch.images, set, recipe, epoch, image), batch.labels, rate);
    loss += step.loss * recipe.batchSize;
    correct += step.correct;
    const imagesPerSecond = (image / (performance.now() - begun)) * 1000;
    progress = { ...at, image, loss: loss / image, accuracy: correct / image, imagesPerSecond };
    yield progress;
    // a step may never leave the event loop a turn of its own, and messages, signals and the parent's end come by it
    await setImmediate();
  }
  return progress;
}

/** What is drawn depends on seed, epoch and place in the epoch alone, so that a resumed run draws the same. */
function augment<T extends Uint8Array | Float32Array>(
  images: T,
  { dataset }: TrainingSet,
  recipe: Recipe,
  ...place: readonly [epoch: number, image: number]
): T {
  if (recipe.augment === "none") return images;
  return cropAndFlip(images, dataset, generatorOf("augment", recipe.seed, ...place));
}

/**
 * Returns how many images an epoch trains on: whole batches, for batch norm and the NC loss are statistics of a batch and a small rest
 * would weigh as much as the others. Every epoch is shuffled anew, so no image is left out for good.
 * @throws CollapsarError `invalid-request` where there is not one whole batch.
 */
export function epochLength({ batchSize, imagesPerEpoch }: Recipe, { dataset }: TrainingSet): number {
  const available = Math.min(imagesPerEpoch ?? dataset.length, dataset.length);
  if (available < batchSize)
    throw new CollapsarError(
      "invalid-request",
      `batch-size: ${batchSize} is more than the ${available} images of ${dataset.name} to train on`,
    );
  return available - (available % batchSize);
}
