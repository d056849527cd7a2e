import { CollapsarError } from "../errors.ts";
import { blockMemory } from "./blockMemory.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { zeros } from "./matrix.ts";
import { blocksOf, type LabelledSet } from "./rows.ts";
import { requireFiniteFeatures } from "./samples.ts";
import type { Kernels } from "./wasm/kernels.ts";

/**
 * Sums and counts per class, exact enough that neither a large common offset nor the order of samples or shards moves the
 * means by more than a unit in the last place: float64 with the rounding error of each addition kept aside (Neumaier's
 * compensated sum, by Knuth's TwoSum, which has no branch).
 */
export class ClassSums {
  readonly counts: Float64Array;
  readonly #sums: Matrix;
  readonly #errors: Matrix;
  readonly #kernels: Kernels | null;

  /** With `kernels`, sums and float32 features are in their memory. */
  constructor(classes: number, dimensions: number, kernels: Kernels | null = null) {
    const room = () =>
      kernels
        ? { rows: classes, columns: dimensions, values: kernels.float64(classes * dimensions).fill(0) }
        : zeros(classes, dimensions);
    this.counts = new Float64Array(classes);
    this.#sums = room();
    this.#errors = room();
    this.#kernels = kernels;
  }

  /** Adds n samples: features n×D, finite, and labels n in 0 to C−1. */
  add(features: Reals, labels: Int32Array): void {
    const { columns, values: sums } = this.#sums;
    const { values: errors } = this.#errors;
    for (let i = 0; i < labels.length; i++) this.counts[labels[i]]++;
    if (this.#kernels && features instanceof Float32Array) this.#kernels.addRows(features, labels, sums, errors);
    else
      for (let i = 0; i < labels.length; i++)
        addCompensated(sums, errors, labels[i] * columns, features, i * columns, columns);
  }

  /** Gives the memory of the kernels back; nothing but the counts may be asked for any more. */
  release(): void {
    this.#kernels?.release();
  }

  /** Adds the samples of `other`, of the same shape. */
  merge(other: ClassSums): void {
    const { length } = this.#sums.values;
    addCompensated(this.#sums.values, this.#errors.values, 0, other.#sums.values, 0, length);
    for (let k = 0; k < length; k++) this.#errors.values[k] += other.#errors.values[k];
    for (let c = 0; c < this.counts.length; c++) this.counts[c] += other.counts[c];
  }

  /** Whether every number added was finite: one that is not leaves its trace in the sums. */
  get areFinite(): boolean {
    const { values } = this.#sums;
    let finite = true;
    for (let k = 0; k < values.length; k++) finite &&= Number.isFinite(values[k]);
    return finite;
  }

  /** Returns the class means μ_c (C×D). @throws CollapsarError `missing-class` that names a class without samples. */
  means(): Matrix {
    const empty = this.counts.indexOf(0);
    if (empty >= 0) throw new CollapsarError("missing-class", `class ${empty} has no sample: at least 1 was expected`);
    const { rows, columns, values } = this.#sums;
    const errors = this.#errors.values;
    const means = zeros(rows, columns);
    for (let c = 0, k = 0; c < rows; c++)
      for (const end = k + columns; k < end; k++) means.values[k] = (values[k] + errors[k]) / this.counts[c];
    return means;
  }
}

/**
 * Returns the sums of a set with valid labels, to be released when its means are taken.
 * @throws CollapsarError `non-finite-feature` that names the sample.
 */
export async function classSumsOf({ features, logits, labels }: LabelledSet): Promise<ClassSums> {
  const memory = blockMemory(features, { more: 2 * logits.columns * features.columns });
  const sums = new ClassSums(logits.columns, features.columns, memory.kernels);
  for await (const block of memory.blocks()) {
    // of float32 the sums tell; float64 may be finite and yet too large to be squared
    if (block.values instanceof Float64Array) requireFiniteFeatures(block.values, features.columns, block.start);
    sums.add(block.values, memory.labelsOf(block, labels));
  }
  if (!sums.areFinite)
    for await (const { start, values } of blocksOf(features)) requireFiniteFeatures(values, features.columns, start);
  return sums;
}

/** Adds `length` numbers of `values` from `from` on to the compensated sums from `to` on. */
function addCompensated(
  sums: Float64Array,
  errors: Float64Array,
  to: number,
  values: Reals,
  from: number,
  length: number,
): void {
  for (let d = 0; d < length; d++) {
    const sum = sums[to + d];
    const value = values[from + d];
    const total = sum + value;
    const added = total - sum;
    errors[to + d] += sum - (total - added) + (value - added);
    sums[to + d] = total;
  }
}

/**
 * Returns Ṁ (C×D): the class means less their mean `μ_G = 1/C Σ_c μ_c`. A difference within the rounding of the means it
 * comes from is 0, so that equal means are seen as equal and never give a direction made of rounding noise.
 */
export function centredMeans(means: Matrix): Matrix {
  const { rows: classes, columns, values } = means;
  const sum = new Float64Array(columns);
  const error = new Float64Array(columns);
  const largest = new Float64Array(columns);
  for (let c = 0, k = 0; c < classes; c++)
    for (let d = 0; d < columns; d++, k++) largest[d] = Math.max(largest[d], Math.abs(values[k]));
  for (let c = 0; c < classes; c++) addCompensated(sum, error, 0, values, c * columns, columns);
  const centred = zeros(classes, columns);
  for (let c = 0, k = 0; c < classes; c++)
    for (let d = 0; d < columns; d++, k++) {
      const difference = values[k] - (sum[d] + error[d]) / classes;
      // each mean is off by up to 1 ε of itself, their mean by up to 2 ε of the largest
      centred.values[k] = Math.abs(difference) <= 4 * Number.EPSILON * largest[d] ? 0 : difference;
    }
  return centred;
}
