import { join } from "node:path";
import type { Share } from "../../database/schema.ts";
import { slice } from "../../datasets/subset.ts";
import { classifierOf } from "../../networks/network.ts";
import { withTemporaryFolder } from "../../temporaryFolder.ts";
import { type ExtractOptions, extract } from "../extract.ts";
import { createFeatureFile } from "../features/sink.ts";
import type { OpenedEvaluation } from "../open.ts";
import { partsOf } from "../sets.ts";

/**
 * Takes the features of the images of `shares`, and gives a features file for each, in order, to `keep`; it is gone when
 * `keep` has returned. `onProgress` hears of the images of all of them.
 * @throws CollapsarError as `extract`.
 */
export async function extractShard(
  { network, engine, sets }: OpenedEvaluation,
  shares: readonly Share[],
  keep: (share: number, path: string) => Promise<void>,
  { signal, onProgress }: ExtractOptions,
): Promise<void> {
  const datasets = new Map(partsOf(sets).map(({ part, dataset }) => [part, dataset]));
  const classifier = classifierOf(network);
  const total = imagesOf(shares);
  await withTemporaryFolder(async (folder) => {
    const path = join(folder, "features.safetensors");
    let before = 0;
    for (const [share, { part, start, end }] of shares.entries()) {
      const dataset = slice(datasets.get(part)!, start, end);
      const file = await createFeatureFile(path, { count: dataset.length, labels: dataset.labels, classifier });
      const report = (done: number) => onProgress?.(before + done, total);
      await extract(engine, network, dataset, file, { signal, onProgress: report }).finally(() => file.close());
      await keep(share, path);
      before += dataset.length;
    }
  });
}

/** Returns how many images a shard has. */
export function imagesOf(shares: readonly Share[]): number {
  return shares.reduce((sum, { start, end }) => sum + end - start, 0);
}
