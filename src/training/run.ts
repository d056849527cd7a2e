import { setImmediate } from "node:timers/promises";
import type { DatasetSources } from "../datasets/open.ts";
import { CollapsarError } from "../errors.ts";
import { describeNetwork } from "../networks/resnet.ts";
import { specMetadata } from "../networks/spec.ts";
import type { RunProgress } from "./event.ts";
import { initialiseParameters } from "./initialise.ts";
import { lossOf } from "./losses/loss.ts";
import { originOf, rejectOtherOrigin } from "./origin.ts";
import type { Recipe } from "./recipe.ts";
import { openRunFolder } from "./runFolder.ts";
import { learningRateAt } from "./schedule.ts";
import { shuffledOrder } from "./shuffle.ts";
import { specFor } from "./specFor.ts";
import { createTrainer, type Trainer } from "./step/trainer.ts";
import { gather, openTrainingSet, type TrainingSet } from "./trainingSet.ts";

/**
 * Trains one run and pushes a checkpoint after each epoch below the URL `to`. Where the run has checkpoints there
 * already it goes on after the last, with the same weights in the end as if it had never stopped: nothing in a
 * checkpoint depends on when or how fast it was made. Stop it by leaving the loop over its events.
 * @throws CollapsarError `conflict` where the run was begun with another recipe, `non-finite-loss`, `wrong-shape` where
 *   the images do not fit the variant, and what datasets and storage throw.
 */
export async function* trainRun(recipe: Recipe, to: string, sources: DatasetSources): AsyncGenerator<RunProgress> {
  const set = await openTrainingSet(recipe.dataset, sources);
  const spec = specFor(recipe, set);
  const graph = describeNetwork(spec);
  const folder = openRunFolder(sources.storage, to, recipe, graph);
  const origin = originOf(recipe, spec, set);
  const found = await folder.checkpoints();
  const finished = Math.max(0, ...[...found.keys()].filter((epoch) => epoch <= recipe.epochs));
  if (finished > 0) rejectOtherOrigin(await folder.metadata(finished), origin, folder.url);
  const images = epochLength(recipe, set);
  const checkpoints = [...found].filter(([epoch]) => epoch <= finished).map(([, url]) => url);
  const at = { run: recipe.run, epoch: finished, epochs: recipe.epochs, image: 0, images };
  yield { ...at, phase: "started", loss: null, imagesPerSecond: null, checkpoints };
  if (finished === recipe.epochs) return;

  const trainer = await createTrainer({
    graph,
    ...(finished > 0 ? await folder.load(finished) : { parameters: initialiseParameters(graph, recipe.seed) }),
    loss: lossOf(recipe.loss, set.classes),
    momentum: recipe.momentum,
    weightDecay: recipe.weightDecay,
  });
  try {
    for (let epoch = finished + 1; epoch <= recipe.epochs; epoch++) {
      const progress = yield* trainEpoch(trainer, set, recipe, epoch);
      const after = { parameters: trainer.parameters(), velocity: trainer.velocity() };
      rejectNonFinite(after.parameters, epoch);
      const metadata = { ...specMetadata(spec), ...origin, epoch: String(epoch), training_loss: String(progress.loss) };
      const checkpoint = await folder.save(epoch, after, metadata);
      yield { ...progress, phase: "pushed", checkpoints: [checkpoint] };
    }
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
  const order = shuffledOrder(set.dataset.length, recipe.seed, epoch);
  const images = epochLength(recipe, set);
  const rate = learningRateAt(epoch, recipe);
  const begun = performance.now();
  const at = { run: recipe.run, phase: "training", epoch, epochs: recipe.epochs, images, checkpoints: [] } as const;
  let progress: RunProgress = { ...at, image: 0, loss: null, imagesPerSecond: null };
  let sum = 0;
  for (let image = recipe.batchSize; image <= images; image += recipe.batchSize) {
    const batch = gather(set, order.subarray(image - recipe.batchSize, image));
    const { loss } = await trainer.step(batch.images, batch.labels, rate);
    sum += loss * recipe.batchSize;
    const imagesPerSecond = (image / (performance.now() - begun)) * 1000;
    progress = { ...at, image, loss: sum / image, imagesPerSecond };
    yield progress;
    // a step may never leave the event loop a turn of its own, and messages, signals and the parent's end come by it
    await setImmediate();
  }
  return progress;
}

/** A step may ruin weights whose loss was still finite. */
function rejectNonFinite(parameters: ReadonlyMap<string, Float32Array>, epoch: number): void {
  for (const [name, values] of parameters)
    if (!values.every(Number.isFinite))
      throw new CollapsarError(
        "non-finite-weight",
        `training has diverged: after epoch ${epoch}, ${name} is not finite`,
      );
}

/**
 * Images an epoch trains on: whole batches, for batch norm and the NC loss are statistics of a batch and a small rest
 * would weigh as much as the others. Every epoch is shuffled anew, so no image is left out for good.
 */
function epochLength({ batchSize, imagesPerEpoch }: Recipe, { dataset }: TrainingSet): number {
  const available = Math.min(imagesPerEpoch ?? dataset.length, dataset.length);
  if (available < batchSize)
    throw new CollapsarError(
      "invalid-request",
      `batch-size: ${batchSize} is more than the ${available} images of ${dataset.name} to train on`,
    );
  return available - (available % batchSize);
}
