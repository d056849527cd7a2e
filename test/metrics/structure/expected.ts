import { readFileSync } from "node:fs";
import { readSafetensors } from "../../../src/checkpoints/safetensors.ts";
import type { Collapse } from "../../../src/metrics/collapse.ts";
import { floats, golden } from "../../golden.ts";
import { collapseOf } from "../cases.ts";

/** What other code found for a case; a measure is null where it is not defined. fixtures/collapse/make.py made it. */
export interface Expected {
  readonly values: Readonly<Record<string, number | null>>;
  readonly within_class_variance: readonly number[];
  readonly between_class_square: readonly number[];
  readonly cosines_means: readonly number[];
  readonly cosines_classifiers: readonly number[];
  /** What the other code reports beside them, its own definitions and its defaults. */
  readonly disagreements: Readonly<Record<string, number | null>>;
}

const FIXTURES = new URL("../../fixtures/collapse/", import.meta.url);

/** What was expected of every case, by its name. */
export const EXPECTED: Readonly<Record<string, Expected>> = JSON.parse(
  readFileSync(new URL("expected.json", FIXTURES), "utf8"),
);

/** Returns the tensors of a case: a golden one, or one of this folder's. */
export function tensorsOf(name: string) {
  const file = name.startsWith("metrics-")
    ? golden(name)
    : readSafetensors(readFileSync(new URL(`${name}.safetensors`, FIXTURES)));
  const labels = file.tensors.get("labels")!.data as Int32Array;
  const weight = floats(file, "weight");
  const bias = floats(file, "bias");
  return { features: floats(file, "features"), logits: floats(file, "logits"), labels, weight, bias };
}

/** Returns the collapse of a case. */
export function collapseOfCase(name: string): Promise<Collapse> {
  const { weight, bias, ...samples } = tensorsOf(name);
  return collapseOf(samples, weight, bias.length, weight.length / bias.length);
}
