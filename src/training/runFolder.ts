import type { Tensor } from "../checkpoints/checkpoint.ts";
import { readSafetensors, writeSafetensors } from "../checkpoints/safetensors.ts";
import type { Graph } from "../networks/graph.ts";
import { download } from "../storage/download.ts";
import type { Storage } from "../storage/storage.ts";
import type { Recipe } from "./recipe.ts";

/** What training goes on from: the network after an epoch, and the optimiser's velocity, by PyTorch's tensor names. */
export interface TrainingState {
  readonly parameters: Map<string, Float32Array>;
  readonly velocity: Map<string, Float32Array>;
}

/** Where one run keeps its checkpoints: `TO/EXPERIMENT/RUN/epoch-0004.safetensors`, and the last epoch's velocity. */
export interface RunFolder {
  readonly url: string;
  /** Returns the URL of every epoch's checkpoint that is there, by epoch, ascending. */
  checkpoints(): Promise<Map<number, string>>;
  /** Returns the metadata of an epoch's checkpoint. */
  metadata(epoch: number): Promise<Readonly<Record<string, string>>>;
  /** Returns the state after an epoch, which must be the last one saved. */
  load(epoch: number): Promise<TrainingState>;
  /** Saves the state after an epoch and returns the URL of its checkpoint. */
  save(epoch: number, state: TrainingState, metadata: Readonly<Record<string, string>>): Promise<string>;
}

/** Returns the folder of the run of `recipe` below the URL `to`, whose network is `graph`. */
export function openRunFolder(storage: Storage, to: string, recipe: Recipe, graph: Graph): RunFolder {
  const url = `${to}/${recipe.experiment}/${recipe.run}`;
  const checkpointUrl = (epoch: number) => `${url}/epoch-${String(epoch).padStart(4, "0")}.safetensors`;
  const velocityUrl = (epoch: number) => checkpointUrl(epoch).replace(/\.safetensors$/, ".optimizer.safetensors");
  const read = async (of: string) => readSafetensors((await download(storage, of)).bytes);
  const shapes = new Map(graph.parameters.map(({ name, shape }) => [name, shape]));
  return {
    url,
    async checkpoints() {
      const found = new Map<number, string>();
      for await (const head of storage.list(url)) {
        const [, epoch] = /\/epoch-(\d+)\.safetensors$/.exec(head.url) ?? [];
        if (epoch) found.set(Number(epoch), checkpointUrl(Number(epoch)));
      }
      return new Map([...found].sort(([a], [b]) => a - b));
    },
    metadata: async (epoch) => (await read(checkpointUrl(epoch))).metadata,
    async load(epoch) {
      const [checkpoint, velocity] = await Promise.all([read(checkpointUrl(epoch)), read(velocityUrl(epoch))]);
      return { parameters: arraysOf(checkpoint.tensors), velocity: arraysOf(velocity.tensors) };
    },
    /** The velocity goes first, so that a checkpoint seen is one that can be resumed from; the older one goes last. */
    async save(epoch, { parameters, velocity }, metadata) {
      await storage.write(velocityUrl(epoch), writeSafetensors(tensorsOf(velocity, shapes)));
      await storage.write(checkpointUrl(epoch), writeSafetensors(tensorsOf(parameters, shapes), metadata));
      for await (const { url: other } of storage.list(url))
        if (/\/epoch-\d+\.optimizer\.safetensors$/.exec(other) && other !== velocityUrl(epoch))
          await storage.remove(other);
      return checkpointUrl(epoch);
    },
  };
}

function arraysOf(tensors: ReadonlyMap<string, Tensor>): Map<string, Float32Array> {
  return new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array]));
}

function tensorsOf(
  arrays: ReadonlyMap<string, Float32Array>,
  shapes: ReadonlyMap<string, readonly number[]>,
): [string, Tensor][] {
  return [...arrays].map(([name, data]) => [name, { dtype: "F32", shape: shapes.get(name)!, data }]);
}
