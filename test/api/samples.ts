import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Tensor } from "../../src/checkpoints/checkpoint.ts";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { describeNetwork } from "../../src/networks/resnet.ts";
import { type NetworkSpec, specMetadata } from "../../src/networks/spec.ts";
import { initialiseParameters } from "../../src/training/initialise.ts";

/** The smallest network that takes digits. */
export const TINY: NetworkSpec = {
  ...{
    arch: "resnet18",
    stem: "mnist",
    mod: false,
    sn: false,
    coeff: 3,
    channels: 1,
    width: 2,
    classes: 10,
    l2Norm: false,
  },
  ...{ mean: [0.1307], std: [0.3081] },
};

/** Returns an empty folder of its own. */
export function emptyFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "collapsar-test-"));
}

export const fileUrl = (...path: string[]) => pathToFileURL(join(...path)).href;

/** Returns a dataset of so many images of noise, 28×28, with labels of ten classes in turn; the images come again after a thousand. */
export function noiseBytes(count: number): Uint8Array {
  const some = Uint8Array.from({ length: Math.min(count, 1000) * 28 * 28 }, (_, i) => (i * i * 31) % 251);
  const images = new Uint8Array(count * 28 * 28);
  for (let at = 0; at < images.length; at += some.length) images.set(some.subarray(0, images.length - at), at);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const tensors = [
    ["images", { dtype: "U8", shape: [count, 28, 28, 1], data: images }],
    ["labels", { dtype: "U8", shape: [count], data: labels }],
  ] as const;
  return writeSafetensors(tensors, {});
}

/** Returns a checkpoint of an untrained network, with `changes` to its metadata (null: left out) and tensors. */
export function checkpointBytes(
  changes: {
    spec?: Partial<NetworkSpec>;
    metadata?: Record<string, string | null>;
    tensors?: Record<string, Tensor>;
    seed?: number;
  } = {},
): Uint8Array {
  const spec = { ...TINY, ...changes.spec };
  const graph = describeNetwork(spec);
  const parameters = initialiseParameters(graph, changes.seed ?? 1);
  const shapes = new Map(graph.parameters.map(({ name, shape }) => [name, shape]));
  const tensors = new Map<string, Tensor>(
    [...parameters].map(([name, data]) => [name, { dtype: "F32", shape: shapes.get(name)!, data }]),
  );
  for (const [name, tensor] of Object.entries(changes.tensors ?? {})) tensors.set(name, tensor);
  const metadata = {
    ...specMetadata(spec),
    run: "tiny",
    epoch: "1",
    seed: "1",
    dataset: "digits:test",
    ...changes.metadata,
  };
  const kept = Object.entries(metadata).filter((entry): entry is [string, string] => entry[1] !== null);
  return writeSafetensors(tensors, Object.fromEntries(kept));
}
