import { readdirSync, readFileSync } from "node:fs";
import { CollapseState } from "../../src/metrics/collapse.ts";
import type { Samples } from "../../src/metrics/samples.ts";
import { floats, GOLDEN, golden } from "../golden.ts";

/** A golden case of the metrics: inputs and what independent float64 code found. */
export interface GoldenCase {
  readonly name: string;
  readonly train: Samples;
  /** Null where the case has no test set. */
  readonly test: Samples | null;
  readonly weight: Float32Array;
  readonly classes: number;
  readonly dimensions: number;
  readonly expected: Readonly<Record<string, number>>;
  readonly diagnostics: Readonly<Record<string, number>>;
  readonly calibration?: { readonly accuracy: number };
}

/** Returns every golden `metrics-*` case in the folder. */
export function goldenCases(): GoldenCase[] {
  return namesOf("metrics").map(goldenCase);
}

/** Returns the names of the golden files `<kind>-*.json`, without the ending. */
export function namesOf(kind: string): string[] {
  const files = readdirSync(GOLDEN).filter((file) => file.startsWith(`${kind}-`) && file.endsWith(".json"));
  return files.map((file) => file.replace(/\.json$/, "")).sort();
}

/** Returns the JSON of a golden case. */
export function goldenJson(name: string) {
  return JSON.parse(readFileSync(new URL(`${name}.json`, GOLDEN), "utf8"));
}

/** Returns that golden case. */
export function goldenCase(name: string): GoldenCase {
  const { C: classes, D: dimensions, expected, diagnostics, calibration } = goldenJson(name);
  const file = golden(name);
  const samples = (prefix: string): Samples => ({
    features: floats(file, `${prefix}features`),
    logits: floats(file, `${prefix}logits`),
    labels: file.tensors.get(`${prefix}labels`)!.data as Int32Array,
  });
  const test = file.tensors.has("test_features") ? samples("test_") : null;
  const weight = floats(file, "weight");
  return { name, train: samples(""), test, weight, classes, dimensions, expected, diagnostics, calibration };
}

/** Returns the samples cut into chunks of at most `size`. */
export function cut({ features, logits, labels }: Samples, size: number): Samples[] {
  const dimensions = features.length / labels.length;
  const classes = logits.length / labels.length;
  return Array.from({ length: Math.ceil(labels.length / size) }, (_, chunk) => {
    const [from, to] = [chunk * size, Math.min((chunk + 1) * size, labels.length)];
    return {
      features: features.slice(from * dimensions, to * dimensions),
      logits: logits.slice(from * classes, to * classes),
      labels: labels.slice(from, to),
    };
  });
}

/** Returns the state after an update with each of the chunks. */
export function collect(chunks: readonly Samples[], classes: number, dimensions: number): CollapseState {
  const state = new CollapseState(classes, dimensions);
  for (const { features, logits, labels } of chunks) state.update(features, logits, labels);
  return state;
}
