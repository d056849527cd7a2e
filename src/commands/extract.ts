import { Command } from "commander";
import { readSafetensors } from "../checkpoints/safetensors.ts";
import { readConfig, toUrl } from "../config.ts";
import { openDataset } from "../datasets/open.ts";
import type { EngineName } from "../engines/engine.ts";
import { openEngine } from "../engines/open.ts";
import { extract } from "../evaluation/extract.ts";
import { classifierOf, writeFeatures } from "../evaluation/features.ts";
import { networkOf } from "../networks/fromCheckpoint.ts";
import { download } from "../storage/download.ts";
import { openStorage } from "../storage/open.ts";
import { engineOption, networkOption } from "./options.ts";
import { jsonOption, print } from "./output.ts";
import { progressLine } from "./progressLine.ts";

interface Options {
  readonly dataset: string;
  readonly out: string;
  readonly network: Record<string, string>;
  readonly engine: EngineName;
  readonly json?: boolean;
}

/** Returns the command `extract`: the penultimate features of a checkpoint over a dataset, as a safetensors file. */
export function extractCommand(): Command {
  return new Command("extract")
    .description("Write the penultimate features and logits of a checkpoint over a dataset.")
    .argument("<checkpoint>", "path or URL (s3://, file://) of a safetensors checkpoint")
    .requiredOption("--dataset <name>", "digits, digits:test, fashion-mnist, … or the path or URL of a file of images")
    .requiredOption("--out <file>", "where to write: path or URL of a safetensors file")
    .addOption(networkOption())
    .addOption(engineOption())
    .addOption(jsonOption())
    .action(async (checkpoint: string, options: Options) => {
      const written = await extractTo(checkpoint, options);
      print(written, options.json, ({ images, out }) => `${images} images → ${out}`);
    });
}

async function extractTo(checkpoint: string, { dataset, out, network: overrides, engine, json }: Options) {
  const config = readConfig();
  const storage = openStorage({ fileRoots: null });
  const file = readSafetensors((await download(storage, toUrl(checkpoint))).bytes);
  const { network } = networkOf(file, overrides);
  const images = await openDataset(dataset, { data: config.data, storage });
  const progress = progressLine(json);
  const set = await extract(await openEngine(engine), network, images, {
    onProgress: (done, total) => progress.update("images", done, total),
  });
  progress.end();
  const metadata = { ...file.metadata, dataset: images.name };
  const head = await storage.write(toUrl(out), writeFeatures(set, classifierOf(network), metadata));
  return { out: head.url, images: set.count, dimensions: network.graph.dimensions, classes: network.graph.classes };
}
