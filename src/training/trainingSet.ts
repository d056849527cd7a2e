import type { Dataset } from "../datasets/dataset.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { openDataset, relatedTest } from "../datasets/open.ts";
import { splitTenth } from "../datasets/subset.ts";
import { CollapsarError } from "../errors.ts";

/** The images a run trains on, all in memory. */
export interface TrainingSet {
  readonly dataset: Dataset;
  /** `tenth` where every tenth image of each class was set aside for validation; null where all are trained on. */
  readonly validation: "tenth" | null;
  readonly images: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/**
 * Opens a set for training. A named dataset is trained on without its validation part, a file whole.
 * @throws CollapsarError as `openDataset`, and `malformed-dataset` where the set has no labels.
 */
export async function openTrainingSet(reference: string, sources: DatasetSources): Promise<TrainingSet> {
  const whole = await openDataset(reference, sources);
  const named = relatedTest(reference) !== null;
  const dataset = named ? splitTenth(whole).rest : whole;
  if (dataset.labels === null)
    throw new CollapsarError("malformed-dataset", `dataset "${reference}" has no labels, which training needs`);
  return {
    dataset,
    validation: named ? "tenth" : null,
    images: await dataset.read(0, dataset.length),
    labels: dataset.labels,
    classes: dataset.labels.reduce((most, label) => Math.max(most, label), 0) + 1,
  };
}

/** Returns copies of the images and labels at `indices`, in that order. */
export function gather({ dataset, images, labels }: TrainingSet, indices: Uint32Array) {
  const size = dataset.channels * dataset.height * dataset.width;
  const batch =
    images instanceof Uint8Array ? new Uint8Array(indices.length * size) : new Float32Array(indices.length * size);
  indices.forEach((index, i) => {
    batch.set(images.subarray(index * size, (index + 1) * size), i * size);
  });
  return { images: batch, labels: Int32Array.from(indices, (index) => labels[index]!) };
}
