import { cpus } from "node:os";
import type { Dataset } from "../../datasets/dataset.ts";
import { classifierOf } from "../../networks/network.ts";
import { type CacheFolder, type CacheKey, keepInCache, openCached } from "../../storage/cache.ts";
import type { StorageCall } from "../../storage/storage.ts";
import { VERSION } from "../../version.ts";
import { fixedBatchSize } from "../batchSize.ts";
import { type ExtractOptions, extract } from "../extract.ts";
import { digestOf } from "../identity.ts";
import type { OpenedEvaluation } from "../open.ts";
import { openFeatureFile } from "./file.ts";
import { createFeatureFile, type FeatureShape, type FeatureStore, featureBytes, openFeatureStore } from "./sink.ts";

/** Rows that are copied at a time: 32 MiB of 2,048 features. */
const COPIED_ROWS = 4096;

export interface TakeOptions extends ExtractOptions {
  readonly cache?: CacheFolder | undefined;
  /** Bytes of features and logits that may be in memory (default FEATURES_IN_MEMORY_BYTES). */
  readonly budget?: number | undefined;
}

/** Features of a set, all of them at hand until they are closed. */
export type TakenFeatures = Pick<FeatureStore, "read" | "close">;

/**
 * Returns the features of a set of the evaluation: from the cache, unless the request wants all anew, or else from the network,
 * and then the cache keeps them. @throws CollapsarError as `extract`.
 */
export async function takeFeatures(
  opened: OpenedEvaluation,
  dataset: Dataset,
  { cache, budget, signal, onProgress }: TakeOptions,
): Promise<TakenFeatures> {
  const { request, network, engine } = opened;
  const { length: count, labels } = dataset;
  const shape = { count, labels, classifier: classifierOf(network) };
  const key = featuresKey(opened, dataset);
  const cached = request.force ? null : await openKept(cache, key, shape, { signal });
  if (cached) {
    onProgress?.(count, count);
    return cached;
  }
  const store = await openFeatureStore(shape, budget);
  try {
    await extract(engine, network, dataset, store, { signal, onProgress });
    const copy = (path: string) => copyTo(path, shape, store, { signal });
    await keepInCache(cache, key, fileBytes(shape), copy, { signal });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Returns the key of the features of a set: of all that decides their bits. The metrics are no part of it, and neither is what
 * the set is for: one that was the test set of an evaluation may be out of distribution in another.
 */
function featuresKey({ request, engine, description }: OpenedEvaluation, { digest, height, width }: Dataset): CacheKey {
  const { name, version, device, precision } = engine;
  const parts = {
    checkpoint: description.checkpoint.sha256,
    network: request.network ?? {},
    images: digest,
    engine: { name, version, device, precision, batch: fixedBatchSize(device, height * width).next() },
    // how a graph is rewritten for an engine is ours, and which kernels that takes is the processor's
    collapsar: VERSION,
    processor: `${process.arch} ${cpus()[0]?.model}`,
  };
  return { kind: "features", of: digestOf(parts) };
}

async function openKept(
  cache: CacheFolder | undefined,
  key: CacheKey,
  { classifier, labels }: FeatureShape,
  call: StorageCall,
): Promise<TakenFeatures | null> {
  const content = await openCached(cache, key, call);
  if (!content) return null;
  const file = await openFeatureFile(content);
  return { read: async () => ({ ...(await file.set(classifier))!, labels }), close: file.close };
}

function fileBytes(shape: FeatureShape): number {
  const { weight, bias } = shape.classifier;
  return featureBytes(shape) + weight.byteLength + bias.byteLength;
}

async function copyTo(path: string, shape: FeatureShape, store: FeatureStore, { signal }: StorageCall): Promise<void> {
  const { features, logits, count } = await store.read();
  const file = await createFeatureFile(path, { ...shape, labels: null });
  try {
    for (let start = 0; start < count; start += COPIED_ROWS) {
      signal?.throwIfAborted();
      const end = Math.min(start + COPIED_ROWS, count);
      const [ofFeatures, ofLogits] = [await features.read(start, end), await logits.read(start, end)];
      await file.write(start, { features: ofFeatures as Float32Array, logits: ofLogits as Float32Array });
    }
  } finally {
    await file.close();
  }
}
