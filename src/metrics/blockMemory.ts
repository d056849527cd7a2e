import { BLOCK_BUFFERS, blockRows, blocksOf, placed, type RowBlock, type Rows } from "./rows.ts";
import { type Kernels, openKernels } from "./wasm/kernels.ts";

/** Blocks of a table in the memory of the kernels, and room there for what is made of them. */
export interface BlockMemory {
  readonly kernels: Kernels;
  /** The most rows a block has. */
  readonly rows: number;
  /** Yields the blocks in order: float32 values lie in the kernels' memory, float64 ones anywhere. */
  blocks(): AsyncGenerator<RowBlock>;
}

/** Returns memory for the blocks of `table`, with room for `float64` further numbers per row and `more` in all. */
export function blockMemory(table: Rows, { perRow = 0, more = 0 }: { perRow?: number; more?: number }): BlockMemory {
  const rows = Math.min(blockRows(table.columns), table.count);
  // the buffers of blocks have 8 bytes a number: files may hold float64
  const kernels = openKernels(rows * (BLOCK_BUFFERS * table.columns * 8 + 4 + 8 * perRow) + 8 * more);
  const buffers = Array.from({ length: BLOCK_BUFFERS }, () => kernels.bytes(rows * table.columns * 8));
  return {
    kernels,
    rows,
    async *blocks() {
      for await (const block of blocksOf(table, rows, buffers))
        yield block.values instanceof Float64Array ? block : placed(block, buffers[block.turn]);
    },
  };
}
