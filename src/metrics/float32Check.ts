import type { ClassSpace } from "./classSpace.ts";
import { subtractRows } from "./kernels.ts";
import { type Dense, timesTransposed } from "./products.ts";
import { blockRows, type LabelledSet } from "./rows.ts";

/** What some samples tell about a projection in float32. */
export interface Float32Check {
  readonly samples: readonly number[];
  /** `Σ ‖Ar‖²` over them, in float64. */
  readonly whitened: number;
  /** `Σ 2 Ar·Er` with `E = A − fl(A)`: what `Σ ‖Ar‖²` lacks where A is rounded. */
  readonly rounding: number;
}

/** Rows that are collected before they are multiplied: a product of a few takes as long as one of hundreds. */
const COLLECTED_ROWS = 512;

/** Returns what a share of the samples, the first ones of each block of `set`, tells about a projection by the A of `space`. */
export async function checkOf(
  { features, labels, count }: LabelledSet,
  { whitening, means }: ClassSpace,
  share: number,
): Promise<Float32Check> {
  const { columns } = whitening;
  const error: Dense<Float32Array> = { ...whitening, values: new Float32Array(whitening.values.length) };
  for (let k = 0; k < error.values.length; k++)
    error.values[k] = whitening.values[k] - Math.fround(whitening.values[k]);
  const size = blockRows(columns);
  const most = Math.ceil(Math.min(size, count) * share);
  const differences = new Float64Array((COLLECTED_ROWS + most) * columns);
  const rounded = new Float32Array(differences.length);
  const squares = new Float64Array(most);
  const samples: number[] = [];
  let collected = 0;
  let whitened = 0;
  let rounding = 0;

  async function multiply(): Promise<void> {
    const some = { rows: collected, columns, values: differences.subarray(0, collected * columns) };
    const someRounded = { ...some, values: rounded.subarray(0, some.values.length) };
    someRounded.values.set(some.values);
    const projected = (await timesTransposed(some, whitening)).values;
    const errors = (await timesTransposed(someRounded, error)).values;
    for (let k = 0; k < projected.length; k++) {
      whitened += projected[k] * projected[k];
      rounding += 2 * projected[k] * errors[k];
    }
    collected = 0;
  }

  for (let start = 0; start < count; start += size) {
    const end = start + Math.ceil(Math.min(size, count - start) * share);
    const values = await features.read(start, end);
    subtractRows(values, means, labels.subarray(start, end), differences.subarray(collected * columns), squares);
    for (let i = start; i < end; i++) samples.push(i);
    collected += end - start;
    if (collected >= COLLECTED_ROWS) await multiply();
  }
  if (collected > 0) await multiply();
  return { samples, whitened, rounding };
}
