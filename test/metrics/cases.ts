import { readdirSync, readFileSync } from "node:fs";
import { type Collapse, collapse } from "../../src/metrics/collapse.ts";
import type { Reals } from "../../src/metrics/matrix.ts";
import { type LabelledSet, type Rows, rowsInMemory } from "../../src/metrics/rows.ts";
import { floats, GOLDEN, golden } from "../golden.ts";

/** Features (n×D), logits (n×C) and labels (n) in memory. */
export interface Samples {
  readonly features: Reals;
  readonly logits: Reals;
  readonly labels: Int32Array;
}

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

/** Returns the samples as a set whose rows are read. */
export function setOf({ features, logits, labels }: Samples, classes: number, dimensions: number): LabelledSet {
  const count = labels.length;
  return { features: rowsInMemory(features, dimensions), logits: rowsInMemory(logits, classes), labels, count };
}

/** Returns the metrics of samples in memory. */
export function collapseOf(samples: Samples, weight: Reals, classes: number, dimensions: number): Promise<Collapse> {
  return collapse(setOf(samples, classes, dimensions), { weight });
}

/** Returns rows that are not in memory: every read copies, into the buffer where one is given. */
export function rowsElsewhere(values: Reals, columns: number): Rows {
  const Values = values instanceof Float32Array ? Float32Array : Float64Array;
  return {
    count: values.length / columns,
    columns,
    async read(start, end, buffer) {
      const rows = values.subarray(start * columns, end * columns);
      const bytes = buffer?.().subarray(0, rows.byteLength) ?? new Uint8Array(rows.byteLength);
      bytes.set(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
      return new Values(bytes.buffer as ArrayBuffer, bytes.byteOffset, rows.length);
    },
  };
}
