import { join } from "node:path";
import type { Tensor } from "../../src/checkpoints/checkpoint.ts";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { type Config, toUrl } from "../../src/config.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { subset } from "../../src/datasets/subset.ts";
import { openStorage } from "../../src/storage/open.ts";
import type { Storage } from "../../src/storage/storage.ts";

/** Images of each class that the parts have. */
export interface PartSizes {
  /** Of those trained on, those that the NC metrics are taken over. */
  readonly measured: number;
  readonly validation: number;
  readonly test: number;
}

/** URLs of files of images; `full` is the whole training set, `train` that without the validation part. */
export type StudyImages = Readonly<Record<keyof PartSizes | "full" | "train", string>>;

/**
 * Returns the files of Fashion-MNIST's parts in the home of `config`, and writes those that are missing. `validation`
 * has the last images of each class of the training set, `measured` and `test` the first of the training and the test set:
 * equally many of each class.
 * @throws CollapsarError `missing-dataset` that says where to get Fashion-MNIST.
 */
export async function provideImages(sizes: PartSizes, config: Config): Promise<StudyImages> {
  const storage = openStorage({ fileRoots: null });
  const sources = { data: config.data, storage };
  const all = await openDataset("fashion-mnist:train", sources);
  const tested = await openDataset("fashion-mnist:test", sources);
  const provide = (name: string, part: Dataset) => {
    const url = toUrl(join(config.home, "images", `${name}-${part.length}.safetensors`));
    return writeOnce(url, part, storage);
  };
  return {
    full: await provide("fashion", all),
    train: await provide(
      "fashion-train",
      take(all, (ofClass) => ofClass.slice(0, -sizes.validation)),
    ),
    measured: await provide(
      "fashion-measured",
      take(all, (ofClass) => ofClass.slice(0, sizes.measured)),
    ),
    validation: await provide(
      "fashion-validation",
      take(all, (ofClass) => ofClass.slice(-sizes.validation)),
    ),
    test: await provide(
      "fashion-test",
      take(tested, (ofClass) => ofClass.slice(0, sizes.test)),
    ),
  };
}

/** Returns the images of `dataset` that `choose` takes of each class, in the order of the dataset. */
function take(dataset: Dataset, choose: (ofClass: readonly number[]) => readonly number[]): Dataset {
  const labels = dataset.labels!;
  const classes = Map.groupBy(labels.keys(), (index) => labels[index]!);
  const chosen = [...classes.values()].flatMap(choose);
  return subset(dataset, Uint32Array.from(chosen).sort(), "part");
}

async function writeOnce(url: string, dataset: Dataset, storage: Storage): Promise<string> {
  for await (const { url: found } of storage.list(url.replace(/\/[^/]*$/, ""))) if (found === url) return url;
  const { length, height, width, channels, labels } = dataset;
  const images = (await dataset.read(0, length)) as Uint8Array;
  const tensors: [string, Tensor][] = [
    ["images", { dtype: "U8", shape: [length, height, width, channels], data: images }],
    ["labels", { dtype: "I32", shape: [length], data: labels! }],
  ];
  await storage.write(url, writeSafetensors(tensors));
  return url;
}
