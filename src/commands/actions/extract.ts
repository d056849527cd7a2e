import { join } from "node:path";
import { fetchCheckpoint } from "../../checkpoints/fetch.ts";
import { readConfig, toUrl } from "../../config.ts";
import { openDataset } from "../../datasets/open.ts";
import { openEngine } from "../../engines/open.ts";
import { extract } from "../../evaluation/extract.ts";
import { createFeatureFile } from "../../evaluation/features/sink.ts";
import { networkOf } from "../../networks/fromCheckpoint.ts";
import { classifierOf } from "../../networks/network.ts";
import { openStorage } from "../../storage/open.ts";
import { withTemporaryFolder } from "../../temporaryFolder.ts";
import type { ExtractOptions } from "../extract.ts";
import { print } from "../output.ts";
import { progressLine } from "../progressLine.ts";

/** Writes features and logits of the checkpoint over a dataset, and prints where they are. */
export async function extractTo(checkpoint: string, options: ExtractOptions): Promise<void> {
  const written = await write(checkpoint, options);
  print(
    written,
    options,
    ({ images, out, imagesPerSecond }) => `${images} images → ${out} (${imagesPerSecond.toFixed(0)} img/s)`,
    ({ out }) => out,
  );
}

async function write(url: string, { dataset, out, network: overrides, engine, device, json, quiet }: ExtractOptions) {
  const config = readConfig();
  const storage = openStorage({ fileRoots: null });
  const progress = progressLine({ json, quiet });
  const { checkpoint } = await fetchCheckpoint(storage, toUrl(url), {
    cache: config.cache,
    onProgress: (done, total) => progress.update("download", done, total, "bytes"),
  }).finally(progress.end);
  const { network } = networkOf(checkpoint, overrides);
  const images = await openDataset(dataset, { data: config.data, storage, cache: config.cache });
  const classifier = classifierOf(network);
  return withTemporaryFolder(async (folder) => {
    const path = join(folder, "features.safetensors");
    const { length: count, labels } = images;
    const file = await createFeatureFile(
      path,
      { count, labels, classifier },
      { ...checkpoint.metadata, dataset: images.name },
    );
    const { imagesPerSecond } = await extract(await openEngine({ engine, device }), network, images, file, {
      onProgress: (done, total) => progress.update("images", done, total),
    }).finally(() => {
      progress.end();
      return file.close();
    });
    const head = await storage.write(toUrl(out), { path });
    const { dimensions, classes } = classifier;
    return { out: head.url, images: count, dimensions, classes, imagesPerSecond };
  });
}
