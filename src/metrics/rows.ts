import type { Reals } from "./matrix.ts";

/** A row-major table that is read by blocks of rows, so that it need not be in memory: features N×D, logits N×C. */
export interface Rows {
  readonly count: number;
  readonly columns: number;
  /**
   * Returns rows `start` to `end` (exclusive), to be read only: a view of the table where it is in memory, else of the
   * memory that `buffer` gives, which has room for them at 8 bytes a number, or of new memory.
   */
  read(start: number, end: number, buffer?: () => Uint8Array): Promise<Reals>;
  /** Where they are float32 and lie in a file, row after row: other threads may read them there. */
  readonly place?: FilePlace | undefined;
  /** Nothing more is read once it is aborted. */
  readonly signal?: AbortSignal;
}

/** A place in a file that this process has open: its descriptor, and the first byte. */
export interface FilePlace {
  readonly fd: number;
  readonly begin: number;
}

/** A block of consecutive rows, `end` exclusive; its values stand until the next block is asked for. */
export interface RowBlock {
  readonly start: number;
  readonly end: number;
  readonly values: Reals;
  /** Which of the buffers is its own. */
  readonly turn: number;
}

/** Features (N×D) and logits (N×C) of a set of images, and their labels (N) where these are known. */
export interface FeatureSet {
  readonly features: Rows;
  readonly logits: Rows;
  readonly labels: Int32Array | null;
  readonly count: number;
}

/** A set of which every label is known. */
export interface LabelledSet extends FeatureSet {
  readonly labels: Int32Array;
}

/**
 * Numbers of a block, 4 MB in float32: half as many, or twice, take 10 % longer for NC1 to NC4 of 50,000×512 in 100 classes.
 * Products of fewer than LEAST_ROWS rows do not fill the cores.
 */
const BLOCK_NUMBERS = 2 ** 20;
const LEAST_ROWS = 512;
const MOST_ROWS = 4096;

/** The block at work and two being read, on a thread each: sums over features in the page cache wait for nothing else. */
export const BLOCK_BUFFERS = 3;

/**
 * Returns how many rows of `columns` numbers make a block. It depends on nothing else, so that sums over blocks have the
 * same bits wherever the rows come from.
 */
export function blockRows(columns: number): number {
  return Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(BLOCK_NUMBERS / columns)));
}

/**
 * Yields all rows in order, in blocks of `size`; while one block is at work the next are read. `buffers`, where given, take
 * turns to hold them: BLOCK_BUFFERS of room for `size` rows at 8 bytes a number.
 */
export async function* blocksOf(
  rows: Rows,
  size: number = blockRows(rows.columns),
  buffers: Uint8Array[] = [],
): AsyncGenerator<RowBlock> {
  const read = (start: number) => {
    const end = Math.min(start + size, rows.count);
    const turn = (start / size) % BLOCK_BUFFERS;
    const values = rows.read(start, end, () => {
      buffers[turn] ??= new Uint8Array(Math.min(size, rows.count) * rows.columns * 8);
      return buffers[turn];
    });
    values.catch(() => {}); // reported where it is awaited, in its turn
    return { start, end, turn, values };
  };
  const reading: ReturnType<typeof read>[] = [];
  let asked = 0;
  do {
    for (; reading.length < BLOCK_BUFFERS && asked < rows.count; asked += size) reading.push(read(asked));
    const next = reading.shift();
    if (!next) return;
    const { start, end, turn } = next;
    yield { start, end, turn, values: await next.values };
  } while (true);
}

/** Returns a block whose values lie in `buffer`: itself, where they do already. */
export function placed<B extends { readonly values: Reals }>(block: B, { buffer, byteOffset }: Uint8Array): B {
  const { values } = block;
  if (values.buffer === buffer) return block;
  const Values = values instanceof Float32Array ? Float32Array : Float64Array;
  const there = new Values(buffer as ArrayBuffer, byteOffset, values.length);
  there.set(values);
  return { ...block, values: there };
}

/** Returns `values` as a table of rows of `columns` numbers. */
export function rowsInMemory(values: Reals, columns: number): Rows {
  return {
    count: values.length / columns,
    columns,
    read: async (start, end) => values.subarray(start * columns, end * columns),
  };
}

/** Returns `rows`, of which nothing more is read once `signal` is aborted: then its reason is thrown. */
export function abortableRows(rows: Rows, signal: AbortSignal): Rows {
  return {
    ...rows,
    signal,
    async read(start, end, buffer) {
      signal.throwIfAborted();
      return rows.read(start, end, buffer);
    },
  };
}

/** Returns the rows of all `parts`, at least one, end to end; a block that lies in several of them is put together. */
export function concatenatedRows(parts: readonly Rows[]): Rows {
  const columns = parts[0]!.columns;
  const placed: { readonly rows: Rows; readonly begin: number }[] = [];
  let count = 0;
  for (const rows of parts) {
    placed.push({ rows, begin: count });
    count += rows.count;
  }
  return {
    count,
    columns,
    async read(start, end, buffer) {
      const met = placed.filter(({ rows, begin }) => begin < end && begin + rows.count > start);
      const range = ({ rows, begin }: (typeof met)[number]) =>
        [Math.max(start - begin, 0), Math.min(end - begin, rows.count)] as const;
      if (met.length === 1) return met[0]!.rows.read(...range(met[0]!), buffer);
      const pieces = await Promise.all(met.map((part) => part.rows.read(...range(part))));
      const Values = pieces.every((piece) => piece instanceof Float32Array) ? Float32Array : Float64Array;
      const values = new Values((end - start) * columns);
      let at = 0;
      for (const piece of pieces) {
        values.set(piece, at);
        at += piece.length;
      }
      return values;
    },
  };
}
