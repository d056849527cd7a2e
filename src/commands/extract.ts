import { join } from "node:path";
import { Command } from "commander";
import { fetchCheckpoint } from "../checkpoints/fetch.ts";
import { readConfig, toUrl } from "../config.ts";
import { openDataset } from "../datasets/open.ts";
import { type EngineChoice, openEngine } from "../engines/open.ts";
import { extract } from "../evaluation/extract.ts";
import { createFeatureFile } from "../evaluation/features/sink.ts";
import { networkOf } from "../networks/fromCheckpoint.ts";
import { classifierOf } from "../networks/network.ts";
import { openStorage } from "../storage/open.ts";
import { withTemporaryFolder } from "../temporaryFolder.ts";
import { CHECKPOINT_HELP, deviceOption, engineOption, networkOption } from "./options.ts";
import { jsonOption, print } from "./output.ts";
import { progressLine } from "./progressLine.ts";

interface Options extends EngineChoice {
  readonly dataset: string;
  readonly out: string;
  readonly network: Record<string, string>;
  readonly json?: boolean;
}

/** Returns the command `extract`: the penultimate features of a checkpoint over a dataset, as a safetensors file. */
export function extractCommand(): Command {
  return new Command("extract")
    .description("Write the penultimate features and logits of a checkpoint over a dataset.")
    .argument("<checkpoint>", CHECKPOINT_HELP)
    .requiredOption("--dataset <name>", "digits, digits:test, fashion-mnist, … or the path or URL of a file of images")
    .requiredOption("--out <file>", "where to write: path or URL of a safetensors file")
    .addOption(networkOption())
    .addOption(engineOption())
    .addOption(deviceOption())
    .addOption(jsonOption())
    .action(async (checkpoint: string, options: Options) => {
      const written = await extractTo(checkpoint, options);
      print(
        written,
        options.json,
        ({ images, out, imagesPerSecond }) => `${images} images → ${out} (${imagesPerSecond.toFixed(0)} img/s)`,
      );
    });
}

async function extractTo(url: string, { dataset, out, network: overrides, engine, device, json }: Options) {
  const config = readConfig();
  const storage = openStorage({ fileRoots: null });
  const { checkpoint } = await fetchCheckpoint(storage, toUrl(url));
  const { network } = networkOf(checkpoint, overrides);
  const images = await openDataset(dataset, { data: config.data, storage });
  const classifier = classifierOf(network);
  return withTemporaryFolder(async (folder) => {
    const path = join(folder, "features.safetensors");
    const { length: count, labels } = images;
    const file = await createFeatureFile(
      path,
      { count, labels, classifier },
      { ...checkpoint.metadata, dataset: images.name },
    );
    const progress = progressLine(json);
    const { imagesPerSecond } = await extract(await openEngine({ engine, device }), network, images, file, {
      onProgress: (done, total) => progress.update("images", done, total),
    }).finally(() => file.close());
    progress.end();
    const head = await storage.write(toUrl(out), { path });
    const { dimensions, classes } = classifier;
    return { out: head.url, images: count, dimensions, classes, imagesPerSecond };
  });
}
