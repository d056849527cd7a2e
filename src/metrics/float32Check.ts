import type { ClassSpace } from "./classSpace.ts";
import { differencesIn } from "./differences.ts";
import { subtractRows } from "./kernels.ts";
import { type Dense, timesTransposed } from "./products.ts";
import { blockRows, type LabelledSet } from "./rows.ts";
import { openKernels } from "./wasm/kernels.ts";

/** What some samples tell about a projection in float32. */
export interface Float32Check {
  /** `Σ ‖Ar‖²` over some of them, as float32 has it and in float64. */
  readonly float32: number;
  readonly float64: number;
  /** `Σ 2 Ar·Er` with `E = A − fl(A)`, what `Σ ‖Ar‖²` lacks where A is rounded: its share of that sum. */
  readonly rounding: number;
}

/** Rows that are collected before they are multiplied: a product of a few takes as long as one of hundreds. */
const COLLECTED_ROWS = 512;

/** So many times as many coordinates are taken in float32 as in float64, which tells 1e-8 of one sum from the other. */
const FLOAT32_PER_FLOAT64 = 8;

/** Returns what a share of the samples, the first ones of each block of `set`, tells about a projection by the A of `space`. */
export async function checkOf(
  { features, labels, count }: LabelledSet,
  { whitening, means }: ClassSpace,
  share: number,
): Promise<Float32Check> {
  const { rows: rank, columns } = whitening;
  const both = roundedAndErrors(whitening.values);
  const stacked: Dense<Float32Array> = { rows: 2 * rank, columns, values: both };
  const size = blockRows(columns);
  const most = Math.ceil(Math.min(size, count) * share);
  const capacity = COLLECTED_ROWS + most;
  const kernels = openKernels(most * columns * 20 + most * 12 + 8 * means.values.length);
  const buffer = kernels.bytes(most * columns * 8);
  const differencesOf = differencesIn(kernels, means, { rows: most, precision: "float64" });
  const differences = new Float64Array(capacity * columns);
  const rounded = new Float32Array(capacity * columns);
  const projected = new Float32Array(capacity * 2 * rank);
  const exact = new Float64Array(Math.ceil(capacity / FLOAT32_PER_FLOAT64) * rank);
  const sums = { float32: 0, float64: 0, squares: 0, rounding: 0 };
  let collected = 0;

  async function multiply(): Promise<void> {
    const some = { rows: collected, columns, values: rounded.subarray(0, collected * columns) };
    some.values.set(differences.subarray(0, collected * columns));
    await timesTransposed(some, stacked, projected);
    const rows = Math.ceil(collected / FLOAT32_PER_FLOAT64);
    const few = { rows, columns, values: differences.subarray(0, rows * columns) };
    await timesTransposed(few, whitening, exact);
    for (let i = 0; i < collected; i++) {
      const at = 2 * i * rank;
      let squares = 0;
      for (let k = at; k < at + rank; k++) {
        squares += projected[k] * projected[k];
        sums.rounding += 2 * projected[k] * projected[k + rank];
      }
      sums.squares += squares;
      if (i < rows) sums.float32 += squares;
    }
    for (let k = 0; k < rows * rank; k++) sums.float64 += exact[k] * exact[k];
    collected = 0;
  }

  for (let start = 0; start < count; start += size) {
    const end = start + Math.ceil(Math.min(size, count - start) * share);
    const values = await features.read(start, end, () => buffer);
    const target = differences.subarray(collected * columns);
    if (values.buffer === buffer.buffer) target.set(differencesOf(values, labels.subarray(start, end)).differences.values);
    else subtractRows(values, means, labels.subarray(start, end), target, new Float64Array(end - start));
    collected += end - start;
    if (collected >= COLLECTED_ROWS) await multiply();
  }
  if (collected > 0) await multiply();
  kernels.release();
  return { float32: sums.float32, float64: sums.float64, rounding: sums.rounding / sums.squares };
}

/** Returns `fl(A)` and, after it, `A − fl(A)`. */
function roundedAndErrors(values: Float64Array): Float32Array {
  const both = new Float32Array(2 * values.length);
  both.set(values);
  for (let k = 0; k < values.length; k++) both[values.length + k] = values[k] - both[k];
  return both;
}
