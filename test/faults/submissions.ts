import type { Tensor } from "../../src/checkpoints/checkpoint.ts";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import type { Dataset } from "../../src/datasets/dataset.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { slice } from "../../src/datasets/subset.ts";
import type { EvaluationRequest } from "../../src/evaluation/request.ts";
import { openStorage } from "../../src/storage/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { checkpointBytes } from "../api/samples.ts";

const CHECKPOINTS = 40;
/** Images of each set: an evaluation then takes a tenth of a second. */
const IMAGES = { train: 200, test: 100, ood: 60 };

/** One body of `POST /evaluate`; no two are of one run and epoch. */
export type Submission = EvaluationRequest & { readonly run: { readonly id: string; readonly epoch: number } };

/** Puts what the submissions name into the folder of this URL: checkpoints, digits, and clothes as the OoD set. */
export async function storeInputs(storage: Storage, folder: string): Promise<void> {
  const sources = { storage: openStorage({ fileRoots: [] }), data: [] };
  for (const [name, reference] of Object.entries({
    train: "digits",
    test: "digits:test",
    ood: "fashion-sample:test",
  })) {
    const dataset = await openDataset(reference, sources);
    const part = slice(dataset, 0, IMAGES[name as keyof typeof IMAGES]);
    await storage.write(`${folder}/${name}.safetensors`, await datasetBytes(part));
  }
  for (let seed = 0; seed < CHECKPOINTS; seed++) {
    const metadata = { run: null, epoch: null, seed: null, dataset: null };
    await storage.write(`${folder}/${seed}.safetensors`, checkpointBytes({ seed, metadata }));
  }
}

/**
 * Returns `count` submissions of what `storeInputs` put there. The jitter is of the protocol, so that the network runs for
 * each, but for every tenth: the same as the one before under another run, whose numbers may be copied. Every twentieth is
 * cut into shards.
 */
export function submissionsOf(count: number, folder: string): Submission[] {
  const sets = Object.fromEntries(Object.keys(IMAGES).map((name) => [name, `${folder}/${name}.safetensors`]));
  return Array.from({ length: count }, (_, i) => {
    const copies = i % 10 === 9;
    const original = copies ? i - 1 : i;
    const [seed, round] = [original % CHECKPOINTS, Math.floor(original / CHECKPOINTS)];
    return {
      checkpoint: `${folder}/${seed}.safetensors`,
      dataset: sets.train,
      test: sets.test,
      ood: [sets.ood!],
      jitter: 1e-3 * (1 + round),
      run: { id: `${copies ? "again" : "run"}-${seed}`, experiment: "faults", seed, epoch: round },
      ...(i % 20 === 5 && { shards: 2 }),
    };
  });
}

async function datasetBytes(dataset: Dataset): Promise<Uint8Array> {
  const { length, height, width, channels } = dataset;
  const images: Tensor = {
    ...{ dtype: "U8", shape: [length, height, width, channels] },
    data: (await dataset.read(0, length)) as Uint8Array,
  };
  const labels: Tensor = { dtype: "I32", shape: [length], data: dataset.labels ?? new Int32Array(length) };
  return writeSafetensors([
    ["images", images],
    ["labels", labels],
  ]);
}
