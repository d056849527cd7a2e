import { CollapsarError } from "../errors.ts";
import { addCompensated } from "./compensated.ts";
import { type Lane, lanesFor } from "./lanes/lanes.ts";
import type { BlockWork } from "./lanes/work.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { zeros } from "./matrix.ts";
import { blockRows, blocksOf, type LabelledSet, placed } from "./rows.ts";
import { requireFiniteFeatures } from "./samples.ts";
import { type Kernels, openKernels } from "./wasm/kernels.ts";

/** Columns are cut where cache lines of float32 end. */
const LINE_NUMBERS = 16;

/** Blocks that are read or at work at a time. */
const BUFFERS = 4;

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
    if (this.#kernels && features instanceof Float32Array)
      this.#kernels.addRows(features, labels, sums, errors, { from: 0, to: columns });
    else
      for (let i = 0; i < labels.length; i++)
        addCompensated(sums, errors, labels[i] * columns, features, i * columns, columns);
  }

  /**
   * Begins to add the features of blocks with these labels (N), both in the memory of the kernels, and returns those who do
   * it: each lane adds some of the columns. All want every block, in order.
   */
  async begin(labels: Int32Array, lanes: readonly Lane[]): Promise<readonly BlockWork[]> {
    for (const label of labels) this.counts[label]++;
    const { columns: dimensions, values: sums } = this.#sums;
    const room = this.#kernels!.share();
    const width = Math.ceil(dimensions / lanes.length / LINE_NUMBERS) * LINE_NUMBERS;
    const order = { work: "sums", room, sums, errors: this.#errors.values, labels, dimensions } as const;
    return Promise.all(
      lanes.map((lane, k) => {
        const from = Math.min(k * width, dimensions);
        return lane.begin({ ...order, from, to: Math.min(from + width, dimensions) });
      }),
    );
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
 * Returns the sums of a set with valid labels, to be released when its means are taken. Each lane has some of the columns, so
 * that the sums are those of one thread to the last bit.
 * @throws CollapsarError `non-finite-feature` that names the sample.
 */
export async function classSumsOf({ features, logits, labels, count }: LabelledSet): Promise<ClassSums> {
  const { columns } = features;
  const rows = Math.min(blockRows(columns), count);
  const kernels = openKernels(BUFFERS * rows * columns * 8 + 4 * count + 16 * logits.columns * columns);
  const buffers = Array.from({ length: BUFFERS }, () => kernels.bytes(rows * columns * 8));
  const labelsThere = kernels.int32(count);
  labelsThere.set(labels);
  const sums = new ClassSums(logits.columns, columns, kernels);
  const work = await sums.begin(labelsThere, lanesFor(features));

  let next = 0;
  let before: Promise<void> = Promise.resolve();
  const addFrom = async (buffer: Uint8Array) => {
    while (next < count) {
      const start = next;
      const end = Math.min(start + rows, count);
      next = end;
      const turn = before;
      const handedOver = Promise.withResolvers<void>();
      before = handedOver.promise;
      try {
        const block = placed({ start, end, values: await features.read(start, end, () => buffer) }, buffer);
        // of float32 the sums tell; float64 may be finite and yet too large to be squared
        if (block.values instanceof Float64Array) requireFiniteFeatures(block.values, columns, start);
        await turn; // sums have the order of the set
        const added = Promise.all(work.map((part) => part.measure(block)));
        handedOver.resolve();
        await added;
      } catch (error) {
        next = count;
        throw error;
      } finally {
        handedOver.resolve();
      }
    }
  };
  const ended = await Promise.allSettled(buffers.map(addFrom));
  for (const part of work) part.release();
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  if (!sums.areFinite)
    for await (const { start, values } of blocksOf(features)) requireFiniteFeatures(values, columns, start);
  return sums;
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
