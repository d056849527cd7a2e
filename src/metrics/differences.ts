import { blockMemory } from "./blockMemory.ts";
import { subtractRows } from "./kernels.ts";
import type { Matrix } from "./matrix.ts";
import type { RowBlock, Rows } from "./rows.ts";

/** `h − r` of a block of features h (n×D), and `‖h − r‖²` (n). */
export interface Differences {
  readonly differences: Matrix;
  readonly squares: Float64Array;
}

/** The differences of features from rows of a matrix, block by block. */
export interface BlockDifferences {
  blocks(): AsyncGenerator<RowBlock>;
  /**
   * Returns those of a block, r being the row of `references` that `rowOf` (N, over the whole table) names for it. They stand
   * until those of the next block are taken.
   */
  of(block: RowBlock, rowOf: Int32Array): Differences;
}

/** Returns the differences of `features` (N×D) from the rows of `references` (R×D). */
export function differencesFrom(references: Matrix, features: Rows): BlockDifferences {
  const { columns, values: rows } = references;
  const memory = blockMemory(features, { perRow: columns + 1, more: rows.length });
  const { kernels } = memory;
  const copied = kernels.float64(rows.length);
  copied.set(rows);
  const buffer = kernels.float64(memory.rows * columns);
  const bufferOfSquares = kernels.float64(memory.rows);
  return {
    blocks: () => memory.blocks(),
    of(block, rowOf) {
      const count = block.end - block.start;
      const values = buffer.subarray(0, count * columns);
      const squares = bufferOfSquares.subarray(0, count);
      const labels = memory.labelsOf(block, rowOf);
      if (block.values instanceof Float32Array) kernels.subtractRows(block.values, labels, copied, values, squares);
      else subtractRows(block.values, references, labels, values, squares);
      return { differences: { rows: count, columns, values }, squares };
    },
  };
}
