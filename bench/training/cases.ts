import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import type { Checkpoint, Tensor } from "../../src/checkpoints/checkpoint.ts";
import { readSafetensors, writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import type { Graph } from "../../src/networks/graph.ts";
import { describeNetwork } from "../../src/networks/resnet.ts";
import { STEMS } from "../../src/networks/spec.ts";
import { initialiseParameters } from "../../src/training/initialise.ts";
import { generatorOf } from "../../src/training/random.ts";

/** A training that is measured: ResNet18 of DDU on random images, cross-entropy, SGD as DDU trains. */
export interface Case {
  readonly name: string;
  readonly stem: "cifar" | "mnist";
  readonly width: number;
  readonly batch: number;
  /** Steps on the clock, some 5 s on two cores. */
  readonly steps: number;
}

export const CASES: readonly Case[] = [
  { name: "width64-batch32", stem: "cifar", width: 64, batch: 32, steps: 20 },
  { name: "width64-batch128", stem: "cifar", width: 64, batch: 128, steps: 5 },
  { name: "width8-batch128", stem: "mnist", width: 8, batch: 128, steps: 120 },
  { name: "width16-batch128", stem: "mnist", width: 16, batch: 128, steps: 60 },
];

export const CLASSES = 10;
export const SGD = { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4 } as const;

const CACHE = fileURLToPath(new URL("../.cache/", import.meta.url));

/** Returns the network of a case. */
export function graphOf({ stem, width }: Case): Graph {
  const { channels } = STEMS[stem];
  const options = { mod: false, sn: false, coeff: 3, l2Norm: false, mean: null, std: null };
  return describeNetwork({ arch: "resnet18", stem, channels, width, classes: CLASSES, ...options });
}

/** Returns the file with what every program starts from: `initial.*`, `images` (N×C×H×W) and `labels`. It is made once. */
export function startOf(of: Case): string {
  const file = join(CACHE, `training-${of.name}.safetensors`);
  if (existsSync(file)) return file;
  const graph = graphOf(of);
  const { height, width } = graph.size!;
  const generator = generatorOf("bench", of.name);
  const shape = [of.batch, graph.channels, height, width];
  const images = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 4 * uniformFloat64(generator) - 2);
  const labels = Int32Array.from({ length: of.batch }, (_, i) => i % CLASSES);
  const initial = initialiseParameters(graph, 1);
  const weights = graph.parameters.map(({ name, shape }): [string, Tensor] => [
    `initial.${name}`,
    { dtype: "F32", shape, data: initial.get(name)! },
  ]);
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(
    file,
    writeSafetensors([
      ...weights,
      ["images", { dtype: "F32", shape, data: images }],
      ["labels", { dtype: "I32", shape: [of.batch], data: labels }],
    ]),
  );
  return file;
}

/** Returns the tensors of `startOf`. */
export function readStart(file: string): Checkpoint {
  return readSafetensors(readFileSync(file));
}
