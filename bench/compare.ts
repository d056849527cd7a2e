/**
 * Prints how far apart two features files are, such as of the same checkpoint on CPU and on a GPU:
 *
 *     node bench/compare.ts REFERENCE.safetensors OTHER.safetensors
 *
 * Features and logits: the largest difference over the largest magnitude. Metrics: both values and their relative difference.
 */
import { readFile } from "node:fs/promises";
import type { Checkpoint } from "../src/checkpoints/checkpoint.ts";
import { readSafetensors } from "../src/checkpoints/safetensors.ts";
import { openFeatureFile } from "../src/evaluation/features/file.ts";
import { measure } from "../src/evaluation/measure.ts";
import { openFile } from "../src/storage/byteSource.ts";

const files = process.argv.slice(2);
if (files.length !== 2) {
  console.error("usage: node bench/compare.ts REFERENCE.safetensors OTHER.safetensors");
  process.exit(2);
}
const [reference, other] = await Promise.all(files.map(async (file) => readSafetensors(await readFile(file))));
for (const name of ["features", "logits"])
  console.log(name.padEnd(28), apart(reference!, other!, name).toExponential(1));
const [expected, actual] = [await valuesOf(files[0]!), await valuesOf(files[1]!)];
for (const [name, value] of Object.entries(expected)) {
  const difference = value === actual[name] ? 0 : Math.abs(actual[name]! - value) / Math.abs(value);
  console.log(name.padEnd(28), difference.toExponential(1), value, actual[name]);
}

function apart(a: Checkpoint, b: Checkpoint, name: string): number {
  const [left, right] = [a, b].map((file) => file.tensors.get(name)!.data as Float32Array) as [
    Float32Array,
    Float32Array,
  ];
  if (left.length !== right.length) throw new Error(`"${name}" has ${left.length} and ${right.length} numbers`);
  const largest = left.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return left.reduce((most, value, i) => Math.max(most, Math.abs(value - right[i]!)), 0) / largest;
}

async function valuesOf(path: string): Promise<Readonly<Record<string, number>>> {
  const file = await openFeatureFile(await openFile(path));
  const classifier = await file.classifier();
  const train = (await file.set(classifier))!;
  const { values } = await measure({ train, test: null, validation: null, ood: [] }, classifier);
  await file.close();
  return values;
}
