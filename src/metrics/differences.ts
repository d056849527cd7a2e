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
  return differencesIn((kernels, length) => kernels.float64(length), references, features);
}

/** Returns the differences, taken in float64 and then rounded to float32. */
export function roundedDifferencesFrom(references: Matrix, features: Rows): BlockDifferences<Float32Array> {
  return differencesIn((kernels, length) => kernels.float32(length), references, features);
}

function differencesIn<Values extends Float64Array | Float32Array>(
  roomFor: (kernels: Kernels, length: number) => Values,
  references: Matrix,
  features: Rows,
): BlockDifferences<Values> {
  const { columns, values: rows } = references;
  const memory = blockMemory(features, { perRow: columns + 1, more: rows.length });
  const { kernels } = memory;
  const copied = kernels.float64(rows.length);
  copied.set(rows);
  const buffer = roomFor(kernels, memory.rows * columns);
  const bufferOfSquares = kernels.float64(memory.rows);
  return {
    blocks: () => memory.blocks(),
    of(block, rowOf) {
      const count = block.end - block.start;
      const values = buffer.subarray(0, count * columns) as Values;
      const squares = bufferOfSquares.subarray(0, count);
      const labels = memory.labelsOf(block, rowOf);
      if (block.values instanceof Float32Array) kernels.subtractRows(block.values, labels, copied, values, squares);
      else subtractRows(block.values, references, labels, values, squares);
      return { differences: { rows: count, columns, values }, squares };
    },
    release: () => kernels.release(),
  };
}
