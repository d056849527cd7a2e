import { subtractRows } from "../kernels.ts";
import type { Matrix, Reals } from "../matrix.ts";
import { type Dense, timesTransposed } from "../products.ts";

/** Which samples tell how far float32 is from float64: the first `rows` ones of every `every`th block. */
export interface CheckedSamples {
  readonly every: number;
  readonly rows: number;
}

/** Of fewer rows at a time a product takes as long for reading A: at K = 1,000 and D = 2,048 that of 32 takes 5 ms, 4 for A. */
const LEAST_ROWS = 256;

/** So many times as many samples are taken in float32 as in float64, which tells 1e-8 of one sum from the other. */
const FLOAT32_PER_FLOAT64 = 8;

/** Sums over the checked samples of one block, or of all. */
export interface Float32Check {
  /** `Σ ‖Ar‖²` over some of them, as float32 has it and in float64. */
  readonly float32: number;
  readonly float64: number;
  /** `Σ ‖Ar‖²` over all of them, and `Σ 2 Ar·Er` with `E = A − fl(A)`, what it lacks where A is rounded. */
  readonly squares: number;
  readonly rounding: number;
}

/** How many numbers are a check. */
export const CHECK_NUMBERS = 4;

/** Returns which samples of blocks of `rows` are checked for a share of all. */
export function checkedSamples(rows: number, share: number): CheckedSamples {
  const perBlock = Math.ceil(rows * share);
  const every = Math.ceil(LEAST_ROWS / perBlock);
  return { every, rows: Math.min(rows, every * perBlock) };
}

/** The first rows of a block as float32 has them: features, differences `r = h − μ_y` (n×D) and coordinates `Ar` (n×K). */
interface Projected {
  readonly features: Reals;
  readonly rowOf: Int32Array;
  readonly differences: Float32Array;
  readonly coordinates: Float32Array;
}

/** Returns what tells of the checked rows of a block, up to `rows`, how a projection by `whitening` fares that lacks `errors` (K×D). */
export function float32CheckOf(
  whitening: Matrix,
  lacking: Float32Array,
  means: Matrix,
  rows: number,
): (projected: Projected) => Promise<Float32Check> {
  const { rows: rank, columns } = whitening;
  const errors: Dense<Float32Array> = { ...whitening, values: lacking };
  const few = Math.ceil(rows / FLOAT32_PER_FLOAT64);
  const byErrors = new Float32Array(rows * rank);
  const exactDifferences = new Float64Array(few * columns);
  const exact = new Float64Array(few * rank);
  const lengths = new Float64Array(few);

  return async ({ features, rowOf, differences, coordinates }) => {
    const count = rowOf.length;
    await timesTransposed({ rows: count, columns, values: differences }, errors, byErrors);
    let squares = 0;
    let rounding = 0;
    for (let k = 0; k < count * rank; k++) {
      squares += coordinates[k] * coordinates[k];
      rounding += 2 * coordinates[k] * byErrors[k];
    }
    const some = Math.min(few, count);
    subtractRows(features, means, rowOf.subarray(0, some), exactDifferences, lengths);
    const values = exactDifferences.subarray(0, some * columns);
    await timesTransposed({ rows: some, columns, values }, whitening, exact);
    let float32 = 0;
    let float64 = 0;
    for (let k = 0; k < some * rank; k++) {
      float32 += coordinates[k] * coordinates[k];
      float64 += exact[k] * exact[k];
    }
    return { float32, float64, squares, rounding };
  };
}

/** Returns the sum of checks, CHECK_NUMBERS each. */
export function sumOfChecks(checks: Float64Array): Float32Check {
  const sums = [0, 0, 0, 0] satisfies number[];
  for (let k = 0; k < checks.length; k++) sums[k % CHECK_NUMBERS] += checks[k];
  const [float32, float64, squares, rounding] = sums as [number, number, number, number];
  return { float32, float64, squares, rounding };
}
