import { readdirSync, readFileSync } from "node:fs";
import { readCheckpoint } from "../../src/checkpoints/read.ts";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { openLayersModel } from "../../src/checkpoints/tfjs/readLayersModel.ts";
import { toOnnx } from "../../src/engines/onnx/toOnnx.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { describeNetwork } from "../../src/networks/resnet.ts";
import { specMetadata } from "../../src/networks/spec.ts";
import { initialiseParameters } from "../../src/training/initialise.ts";
import { TINY } from "../api/samples.ts";
import { golden } from "../golden.ts";
import { DATASET_SEEDS } from "./datasetSeeds.ts";
import { runOnce } from "./onnxSession.ts";

/** A good file, and all that is done with one of its kind before a network runs. */
export interface Seed {
  readonly name: string;
  readonly file: Uint8Array;
  read(file: Uint8Array): Promise<void>;
}

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** Returns the good files of a format. */
export async function seedsOf(format: string): Promise<Seed[]> {
  return SEEDS[format]!();
}

const SEEDS: Record<string, () => Seed[]> = {
  safetensors: () => [stateDict("resnet18", tinySafetensors()), stateDict("spectral-norm", spectralNorm())],
  "torch-zip": () => torchFiles("PK"),
  "torch-legacy": () => torchFiles("\x80"),
  onnx: () => [
    { name: "resnet18", file: tinyOnnx(), read: runOnnx },
    { name: "resnet18 as a graph", file: tinyOnnx("normalised"), read: onnxToGraph },
  ],
  "layers-model": layersModels,
  ...DATASET_SEEDS,
};

/** Formats by name. */
export const FORMATS = Object.keys(SEEDS);

function stateDict(name: string, file: Uint8Array): Seed {
  return { name, file, read: async (bytes) => void networkOf(readCheckpoint(bytes)) };
}

async function runOnnx(bytes: Uint8Array): Promise<void> {
  const { network } = networkOf(readCheckpoint(bytes));
  if (network.kind === "onnx") await runOnce(network);
}

function tinySafetensors(): Uint8Array {
  const { parameters } = describeNetwork(TINY);
  const values = initialiseParameters(describeNetwork(TINY), 1);
  const tensors = parameters.map(
    ({ name, shape }) => [name, { dtype: "F32", shape, data: values.get(name)! }] as const,
  );
  return writeSafetensors(tensors, specMetadata(TINY));
}

function spectralNorm(): Uint8Array {
  const { tensors, metadata } = golden("resnet18-mod-sn");
  return writeSafetensors(tensors, metadata);
}

async function onnxToGraph(bytes: Uint8Array): Promise<void> {
  const { network } = networkOf(readCheckpoint(bytes));
  if (network.kind === "onnx") network.toGraph();
}

function tinyOnnx(kind: "pixels" | "normalised" = "pixels"): Uint8Array {
  const graph = describeNetwork({ ...TINY, width: 1 });
  const network = { kind: "graph", graph, parameters: initialiseParameters(graph, 1) } as const;
  return toOnnx(network, { kind, height: 28, width: 28 });
}

/** The committed `torch.save` files that start so; what they hold need not be a network. */
function torchFiles(start: string): Seed[] {
  const folder = new URL("torch/checkpoints/", FIXTURES);
  const names = readdirSync(folder).filter((name) => /^(training|layouts)\..*pt$/.test(name));
  return names
    .map((name) => ({ name, file: new Uint8Array(readFileSync(new URL(name, folder))) }))
    .filter(({ file }) => file.length < 100_000 && String.fromCharCode(...file.subarray(0, start.length)) === start)
    .map(({ name, file }) => ({ name, file, read: async (bytes) => void readCheckpoint(bytes) }));
}

/** Each committed model twice: with a broken `model.json`, and with a broken weights file. */
function layersModels(): Seed[] {
  const folder = new URL("tfjs/", FIXTURES);
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.flatMap(({ name }) => {
    const load = (file: string) => new Uint8Array(readFileSync(new URL(`${name}/${file}`, folder)));
    const json = load("model.json");
    const shards = openLayersModel(json).paths.map(load);
    const readModel = (model: Uint8Array, weights: Uint8Array[]) => {
      const { paths, read } = openLayersModel(model);
      networkOf(read(paths.map((_, i) => weights[i % weights.length]!)));
    };
    return [
      { name: `${name}/model.json`, file: json, read: async (bytes: Uint8Array) => readModel(bytes, shards) },
      {
        name: `${name}/${0}`,
        file: shards[0]!,
        read: async (bytes: Uint8Array) => readModel(json, [bytes, ...shards.slice(1)]),
      },
    ];
  });
}
