import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { type BlockScatter, type BlockScatterOrder, blockScatter } from "./blockScatter.ts";
import type { LaneMessage } from "./thread.ts";

/** TypeScript in a clone, JavaScript in the published package. */
const PROGRAM = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url);

/** Each lane holds two blocks and copies of matrices: 60 MB for 2,048 dimensions and 1,000 classes. */
const MOST_LANES = 8;

/** Measures the blocks of a pass: a thread of its own, or this one. */
export interface Lane {
  /** Resolved once its program is loaded; until then others do its work. */
  readonly loaded: Promise<void>;
  begin(order: BlockScatterOrder): Promise<BlockScatter>;
}

/** This thread as a lane: for what ends before another has begun. */
export const THIS_THREAD: Lane = { loaded: Promise.resolve(), begin: async (order) => blockScatter(order) };

let lanes: readonly Lane[] | undefined;
let areLoaded = false;
let passes = 0;

/**
 * Returns the lanes of this process, a thread per core, which are started once and wait for the next pass; and this thread, until
 * they are loaded. In each every step of a block is done by one thread, products too, so that no core waits for a step that has
 * no threads.
 */
export function openLanes(): readonly Lane[] {
  lanes ??= startLanes();
  return areLoaded ? lanes : [THIS_THREAD, ...lanes];
}

/** Starts the lanes and returns when they are loaded. */
export async function loadLanes(): Promise<void> {
  for (const lane of openLanes()) await lane.loaded;
}

function startLanes(): readonly Lane[] {
  const started = Array.from({ length: Math.min(availableParallelism(), MOST_LANES) }, startLane);
  const loaded = () => {
    areLoaded = true;
  };
  Promise.all(started.map((lane) => lane.loaded)).then(loaded, () => {}); // told where a pass waits for the lane
  return started;
}

function startLane(): Lane {
  const thread = new Worker(PROGRAM);
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let asked = 0;
  thread.unref();
  thread.on("message", ({ id, error }: { id: number; error?: Error }) => {
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (waiting.size === 0) thread.unref();
    if (error) reject(error);
    else resolve();
  });
  thread.on("error", (error) => {
    lanes = undefined; // the next pass has new ones
    areLoaded = false;
    for (const { reject } of waiting.values()) reject(error);
  });
  const ask = (message: LaneMessage): Promise<void> => {
    const id = asked++;
    const answer = Promise.withResolvers<void>();
    waiting.set(id, answer);
    thread.ref();
    thread.postMessage({ id, message });
    return answer.promise;
  };
  return {
    loaded: ask({ kind: "load" }),
    async begin(order) {
      const pass = passes++;
      await ask({ kind: "begin", pass, order });
      return {
        measure: (block) => ask({ kind: "measure", pass, block }),
        release: () => void ask({ kind: "end", pass }),
      };
    },
  };
}
