import { Command } from "commander";
import { fetchCheckpoint } from "../checkpoints/fetch.ts";
import { readConfig, toUrl } from "../config.ts";
import { openDataset } from "../datasets/open.ts";
import { type EngineChoice, openEngine } from "../engines/open.ts";
import { extract } from "../evaluation/extract.ts";
import { writeFeatures } from "../evaluation/features.ts";
import { networkOf } from "../networks/fromCheckpoint.ts";
import { classifierOf } from "../networks/network.ts";
import { openStorage } from "../storage/open.ts";
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
  const progress = progressLine(json);
  const set = await extract(await openEngine({ engine, device }), network, images, {
    onProgress: (done, total) => progress.update("images", done, total),
  });
  progress.end();
  const classifier = classifierOf(network);
  const metadata = { ...checkpoint.metadata, dataset: images.name };
  const head = await storage.write(toUrl(out), writeFeatures(set, classifier, metadata));
  const { dimensions, classes } = classifier;
  return { out: head.url, images: set.count, dimensions, classes, imagesPerSecond: set.imagesPerSecond };
}
