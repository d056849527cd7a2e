import { blockMemory } from "./blockMemory.ts";
import { subtractRows } from "./kernels.ts";
import type { Matrix, Reals } from "./matrix.ts";
import type { Dense } from "./products.ts";
import type { RowBlock, Rows } from "./rows.ts";
import type { Kernels } from "./wasm/kernels.ts";

/** `h − r` of a block of features h (n×D), and `‖h − r‖²` (n). */
export interface Differences<Values extends Reals> {
  readonly differences: Dense<Values>;
  readonly squares: Float64Array;
}

/** The differences of features from rows of a matrix, block by block. */
export interface BlockDifferences<Values extends Reals> {
  blocks(): AsyncGenerator<RowBlock>;
  /**
   * Returns those of a block, r being the row of `references` that `rowOf` (N, over the whole table) names for it. They stand
   * until those of the next block are taken.
   */
  of(block: RowBlock, rowOf: Int32Array): Differences<Values>;
  /** Gives the memory of blocks and differences back: nothing of it may be touched any more. */
  release(): void;
}

/** Returns the differences of `features` (N×D) from the rows of `references` (R×D). */
export function differencesFrom(references: Matrix, features: Rows): BlockDifferences<Float64Array> {
  const { columns, values } = references;
  const memory = blockMemory(features, { perRow: columns + 1, more: values.length });
  const differences = differencesIn(memory.kernels, references, { rows: memory.rows, precision: "float64" });
  return {
    blocks: () => memory.blocks(),
    of: ({ start, end, values }, rowOf) => differences(values, rowOf.subarray(start, end)) as Differences<Float64Array>,
    release: () => memory.kernels.release(),
  };
}

/**
 * Returns what takes the differences of features (n×D, up to `rows`), float32 ones in the memory of `kernels`, from the row of
 * `references` (R×D) that `rowOf` (n) names for each: in float64, and then rounded, where that is asked for.
 */
export function differencesIn(
  kernels: Kernels,
  references: Matrix,
  { rows, precision }: { readonly rows: number; readonly precision: "float32" | "float64" },
): (features: Reals, rowOf: Int32Array) => Differences<Reals> {
  const { columns } = references;
  const copied = kernels.float64(references.values.length);
  copied.set(references.values);
  const labels = kernels.int32(rows);
  const buffer = kernels[precision](rows * columns);
  const squaresOfRows = kernels.float64(rows);
  return (features, rowOf) => {
    const count = rowOf.length;
    const values = buffer.subarray(0, count * columns);
    const squares = squaresOfRows.subarray(0, count);
    if (features instanceof Float32Array) {
      labels.set(rowOf);
      kernels.subtractRows(features, labels.subarray(0, count), copied, values, squares);
    } else subtractRows(features, references, rowOf, values, squares);
    return { differences: { rows: count, columns, values }, squares };
  };
}
