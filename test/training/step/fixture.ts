import { readFileSync } from "node:fs";
import type { Checkpoint } from "../../../src/checkpoints/checkpoint.ts";
import { readSafetensors } from "../../../src/checkpoints/safetensors.ts";
import type { Graph } from "../../../src/networks/graph.ts";
import { readSpec, STEMS } from "../../../src/networks/spec.ts";
import { describeTraining } from "../../../src/training/spectralNorm.ts";
import { TRAINING_ENGINES } from "../../../src/training/step/trainer.ts";
import { ENGINES as INSTALLED } from "../../engines/engines.ts";
import { floats, relativeDifference } from "../../golden.ts";

/** The engines that train on this machine. */
export const ENGINES = TRAINING_ENGINES.filter((name) => INSTALLED.includes(name));

/** Returns a file of test/fixtures. */
export function readFixture(path: string): Checkpoint {
  return readSafetensors(readFileSync(new URL(`../../fixtures/${path}.safetensors`, import.meta.url)));
}

/** Returns the tensors whose names begin with `prefix`, by the rest of their names. */
export function withPrefix(file: Checkpoint, prefix: string): Map<string, Float32Array> {
  const found = [...file.tensors.keys()].filter((name) => name.startsWith(prefix));
  return new Map(found.map((name) => [name.slice(prefix.length), floats(file, name)]));
}

/** Returns the network that the metadata of a fixture describe, as it is trained. */
export function graphOf({ metadata }: Checkpoint): Graph {
  const { arch, variant, width, classes, l2_norm, coeff = 3, mean = null, std = null } = readSpec(metadata);
  const { stem, mod, sn } = variant!;
  const sizes = { channels: STEMS[stem].channels, width: width!, classes: classes! };
  return describeTraining({ arch: arch!, stem, mod, sn, coeff, ...sizes, l2Norm: l2_norm!, mean, std });
}

/** Returns those of `expected` that are further than `most` from `actual`, relative to the largest of their tensor. */
export function farFrom(
  actual: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
  most: number,
): [string, number][] {
  return [...expected]
    .map(([name, values]): [string, number] => [name, relativeDifference(actual.get(name) ?? [], values)])
    .filter(([, difference]) => !(difference <= most));
}
