import { CollapsarError } from "../errors.ts";
import { addCompensated } from "./compensated.ts";
import type { PartSums } from "./lanes/blockSums.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { zeros } from "./matrix.ts";

/**
 * Sums and counts per class, exact enough that neither a large common offset nor the order of samples or shards moves the
 * means by more than a unit in the last place: float64 with the rounding error of each addition kept aside (Neumaier's
 * compensated sum, by Knuth's TwoSum, which has no branch).
 */
export class ClassSums {
  readonly counts: Float64Array;
  readonly #sums: Matrix;
  readonly #errors: Matrix;

  constructor(classes: number, dimensions: number) {
    this.counts = new Float64Array(classes);
    this.#sums = zeros(classes, dimensions);
    this.#errors = zeros(classes, dimensions);
  }

  /** Adds n samples: features n×D, finite, and labels n in 0 to C−1. */
  add(features: Reals, labels: Int32Array): void {
    const { columns } = this.#sums;
    this.#count(labels);
    for (let i = 0; i < labels.length; i++)
      addCompensated(this.#sums.values, this.#errors.values, labels[i] * columns, features, i * columns, columns);
  }

  /** Adds samples of these labels (n) of which the sums are known, in parts. */
  addParts(labels: Int32Array, parts: readonly PartSums[]): void {
    this.#count(labels);
    for (const part of parts) this.#include(part);
  }

  /** Adds the samples of `other`, of the same shape. */
  merge(other: ClassSums): void {
    this.#include({ sums: other.#sums.values, errors: other.#errors.values });
    for (let c = 0; c < this.counts.length; c++) this.counts[c] += other.counts[c];
  }

  #count(labels: Int32Array): void {
    for (const label of labels) this.counts[label]++;
  }

  #include({ sums, errors }: PartSums): void {
    addCompensated(this.#sums.values, this.#errors.values, 0, sums, 0, sums.length);
    for (let k = 0; k < errors.length; k++) this.#errors.values[k] += errors[k];
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
