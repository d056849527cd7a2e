import { readSync } from "node:fs";
import { type FilePlace, placed, type Rows } from "../rows.ts";
import type { FeatureBlock, LaneWork } from "./work.ts";

/** The rows of a table that nobody has taken yet. Lanes share it, and each takes the next ones whenever it is free. */
export interface Turns {
  /** The first row that is left. */
  readonly next: Int32Array;
  readonly count: number;
  readonly columns: number;
  /** The most rows of a block, and how many rows are taken at a time, a multiple of that: their blocks are measured in order. */
  readonly rows: number;
  readonly taken: number;
}

/** Returns the turns of a whole table, in which `taken` rows are taken at a time, in blocks of up to `rows`. */
export function turnsOf({ count, columns }: Rows, rows: number, taken: number = rows): Turns {
  return { next: new Int32Array(new SharedArrayBuffer(4)), count, columns, rows, taken };
}

/** Who measures, and memory for two blocks at 8 bytes a number that it sees. */
export interface Station {
  readonly work: LaneWork;
  readonly buffers: readonly [Uint8Array, Uint8Array];
}

/**
 * Has all rows measured, each lane by itself. What lies in a file is read by the lanes: nobody then waits for another thread.
 * Else this thread reads, the next block while one is at work. `check` sees each of those, and throws where it is not to be measured.
 */
export async function takeTurns(
  features: Rows,
  turns: Turns,
  stations: readonly Station[],
  check: (block: FeatureBlock) => void = () => {},
): Promise<void> {
  const { place, signal } = features;
  signal?.throwIfAborted();
  const stopAll = () => stop(turns);
  signal?.addEventListener("abort", stopAll);
  const ended = await Promise.allSettled(
    stations.map(async ({ work, buffers }) => {
      try {
        if (place && work.measureFile) await work.measureFile(place, turns, buffers[0]);
        else await measureRead(features, turns, buffers, work, check);
      } catch (error) {
        stop(turns); // nobody need go on
        throw error;
      }
    }),
  );
  signal?.removeEventListener("abort", stopAll);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  signal?.throwIfAborted();
}

async function measureRead(
  features: Rows,
  turns: Turns,
  buffers: Station["buffers"],
  work: LaneWork,
  check: (block: FeatureBlock) => void,
): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let turn = 0;
  for (const { start, end } of takenBlocks(turns)) {
    const buffer = buffers[turn++ % 2]!;
    const values = await features.read(start, end, () => buffer);
    const block = placed({ start, end, values }, buffer);
    check(block);
    await last; // and with it the other buffer is free
    last = work.measure(block);
    last.catch(() => {}); // reported where it is awaited
  }
  await last;
}

/** Measures blocks of a file in this thread, reading each into `buffer`, as long as there are any. */
export async function measureFile(
  { fd, begin }: FilePlace,
  turns: Turns,
  buffer: Uint8Array,
  measure: (block: FeatureBlock) => Promise<void>,
): Promise<void> {
  const { columns } = turns;
  for (const { start, end } of takenBlocks(turns)) {
    const values = new Float32Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, (end - start) * columns);
    for (let done = 0; done < values.byteLength; ) {
      const bytes = readSync(fd, buffer, done, values.byteLength - done, begin + 4 * start * columns + done);
      if (bytes === 0) throw new Error(`the file ends within the features of samples ${start} to ${end - 1}`);
      done += bytes;
    }
    await measure({ start, end, values });
  }
}

function* takenBlocks({ next, count, rows, taken }: Turns): Generator<{ start: number; end: number }> {
  for (let from = Atomics.add(next, 0, taken); from < count; from = Atomics.add(next, 0, taken)) {
    const to = Math.min(from + taken, count);
    for (let start = from; start < to && Atomics.load(next, 0) < STOPPED; start += rows)
      yield { start, end: Math.min(start + rows, to) };
  }
}

/** More rows than any table has: nothing is left once this is the next one. */
const STOPPED = 2 ** 30;

function stop({ next }: Turns): void {
  Atomics.store(next, 0, STOPPED);
}
