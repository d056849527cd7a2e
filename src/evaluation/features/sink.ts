import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planSafetensors } from "../../checkpoints/safetensors.ts";
import type { Outputs } from "../../engines/engine.ts";
import { type FeatureSet, rowsInMemory } from "../../metrics/rows.ts";
import type { Classifier } from "../../networks/network.ts";
import { openFile } from "../../storage/byteSource.ts";
import { type FeatureFile, openFeatureFile } from "./file.ts";

/** Where extracted features go, in any order of batches. */
export interface FeatureSink {
  /** Takes features and logits of the images from `start` on. */
  write(start: number, outputs: Outputs): Promise<void>;
}

/** A sink whose set can be read once all of it was written, until it is closed. */
export interface FeatureStore extends FeatureSink {
  read(): Promise<FeatureSet>;
  close(): Promise<void>;
}

/** What a sink must know of the set it takes. */
export interface FeatureShape {
  readonly count: number;
  readonly labels: Int32Array | null;
  readonly classifier: Classifier;
}

/** Features and logits of a set that take more than this are kept on disk, in the folder for temporary files. */
export const FEATURES_IN_MEMORY_BYTES = 512 * 2 ** 20;

/** Returns a store in memory, or on disk where the set is above the budget (bytes). */
export function openFeatureStore(
  shape: FeatureShape,
  budget: number = FEATURES_IN_MEMORY_BYTES,
): Promise<FeatureStore> {
  return featureBytes(shape) <= budget ? memoryStore(shape) : temporaryStore(shape);
}

/** Returns the bytes that features and logits of a set take. */
export function featureBytes({ count, classifier }: FeatureShape): number {
  return 4 * count * (classifier.dimensions + classifier.classes);
}

async function memoryStore({ count, labels, classifier }: FeatureShape): Promise<FeatureStore> {
  const { dimensions, classes } = classifier;
  const features = new Float32Array(count * dimensions);
  const logits = new Float32Array(count * classes);
  return {
    async write(start, outputs) {
      features.set(outputs.features, start * dimensions);
      logits.set(outputs.logits, start * classes);
    },
    read: async () => ({
      features: rowsInMemory(features, dimensions),
      logits: rowsInMemory(logits, classes),
      labels,
      count,
    }),
    async close() {},
  };
}

async function temporaryStore(shape: FeatureShape): Promise<FeatureStore> {
  const folder = await mkdtemp(join(tmpdir(), "collapsar-"));
  const path = join(folder, "features.safetensors");
  const file = await createFeatureFile(path, shape).catch(async (error) => {
    await rm(folder, { recursive: true });
    throw error;
  });
  let written: FeatureFile | undefined;
  return {
    write: file.write,
    async read() {
      await file.close();
      written ??= await openFeatureFile(await openFile(path));
      return (await written.set(shape.classifier))!;
    },
    async close() {
      await file.close();
      await written?.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Creates a features file, whole once every image was written and it is closed. */
export async function createFeatureFile(
  path: string,
  { count, labels, classifier }: FeatureShape,
  metadata: Readonly<Record<string, string>> = {},
): Promise<FeatureSink & { close(): Promise<void> }> {
  const { classes, dimensions, weight, bias } = classifier;
  const small = [
    ...(labels ? [{ name: "labels", dtype: "I32" as const, shape: [count], data: labels }] : []),
    { name: "weight", dtype: floatType(weight), shape: [classes, dimensions], data: weight },
    { name: "bias", dtype: floatType(bias), shape: [classes], data: bias },
  ];
  const { header, layout } = planSafetensors(
    [
      ...small,
      { name: "features", dtype: "F32", shape: [count, dimensions] },
      { name: "logits", dtype: "F32", shape: [count, classes] },
    ],
    metadata,
  );
  const handle = await open(path, "w");
  const writeAt = async (data: ArrayBufferView, offset: number) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (let done = 0; done < bytes.length; )
      done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
  };
  try {
    await writeAt(header, 0);
    for (const { name, data } of small) await writeAt(data, layout.get(name)!.begin);
  } catch (error) {
    await handle.close();
    throw error;
  }
  const featuresAt = layout.get("features")!.begin;
  const logitsAt = layout.get("logits")!.begin;
  return {
    async write(start, { features, logits }) {
      await writeAt(features, featuresAt + start * dimensions * 4);
      await writeAt(logits, logitsAt + start * classes * 4);
    },
    close: () => handle.close(),
  };
}

function floatType(values: Float32Array | Float64Array): "F32" | "F64" {
  return values instanceof Float32Array ? "F32" : "F64";
}
