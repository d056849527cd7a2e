import type { Tensor } from "../checkpoints/checkpoint.ts";
import { readSafetensors, writeSafetensors } from "../checkpoints/safetensors.ts";
import { CollapsarError, type ErrorCode } from "../errors.ts";
import type { Graph } from "../networks/graph.ts";
import { download } from "../storage/download.ts";
import type { Storage } from "../storage/storage.ts";
import type { Recipe } from "./recipe.ts";

/** What training goes on from: the network after an epoch, and the optimiser's velocity, by PyTorch's tensor names. */
export interface TrainingState {
  readonly parameters: Map<string, Float32Array>;
  readonly velocity: Map<string, Float32Array>;
}

/** Where one run keeps its checkpoints, `TO/EXPERIMENT/RUN/epoch-0004.safetensors`, and the last two epochs' velocity. */
export interface RunFolder {
  readonly url: string;
  /** Returns the URL of every epoch's checkpoint that is there, by epoch, ascending. */
  checkpoints(): Promise<Map<number, string>>;
  /** Returns the metadata of an epoch's checkpoint. */
  metadata(epoch: number): Promise<Readonly<Record<string, string>>>;
  /** Returns the state after an epoch, which must be one of the last two saved. */
  load(epoch: number): Promise<TrainingState>;
  /** Saves the state after an epoch and returns the URL of its checkpoint. */
  save(epoch: number, state: TrainingState, metadata: Readonly<Record<string, string>>): Promise<string>;
  /** Returns what `recordFailure` has left, or null. */
  failure(): Promise<RunFailure | null>;
  /** Leaves a record of why the run ended, `failure.json`. */
  recordFailure(failure: RunFailure): Promise<void>;
}

/** Why a run cannot go on: training it again ends the same way. */
export interface RunFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** The epoch that was not finished. */
  readonly epoch: number;
  readonly run: string;
  /** All that decides the weights, as JSON, and the program: with both the same it fails again. */
  readonly recipe: string;
  readonly producer: string;
}

/** Returns the folder of the run of `recipe` below the URL `to`, whose network is `graph`. */
export function openRunFolder(storage: Storage, to: string, recipe: Recipe, graph: Graph): RunFolder {
  const url = `${to}/${recipe.experiment}/${recipe.run}`;
  const checkpointUrl = (epoch: number) => `${url}/epoch-${String(epoch).padStart(4, "0")}.safetensors`;
  const velocityUrl = (epoch: number) => checkpointUrl(epoch).replace(/\.safetensors$/, ".optimizer.safetensors");
  const failureUrl = `${url}/failure.json`;
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
    /**
     * The velocity goes first, so that a checkpoint seen is one that can be resumed from. The one before stays: a run that is
     * killed may still be at this while its successor begins with that.
     */
    async save(epoch, { parameters, velocity }, metadata) {
      await storage.write(velocityUrl(epoch), writeSafetensors(tensorsOf(velocity, shapes)));
      await storage.write(checkpointUrl(epoch), writeSafetensors(tensorsOf(parameters, shapes), metadata));
      for await (const { url: other } of storage.list(url)) {
        const [, of] = /\/epoch-(\d+)\.optimizer\.safetensors$/.exec(other) ?? [];
        if (of && Number(of) < epoch - 1) await storage.remove(other);
      }
      return checkpointUrl(epoch);
    },
    async failure() {
      const bytes = await download(storage, failureUrl).catch((error) => {
        if (error instanceof CollapsarError && error.code === "object-not-found") return null;
        throw error;
      });
      return bytes && JSON.parse(Buffer.from(bytes.bytes).toString());
    },
    async recordFailure(failure) {
      await storage.write(failureUrl, Buffer.from(`${JSON.stringify(failure, null, 2)}\n`));
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
