import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { symmetricEigenvalues } from "../eigenvalues.ts";
import type { Matrix } from "../matrix.ts";
import { type BlockScatter, type BlockScatterOrder, blockScatter } from "./blockScatter.ts";
import type { LaneAnswer, LaneMessage } from "./thread.ts";

/** TypeScript in a clone, JavaScript in the published package. */
const PROGRAM = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url);

/** Each lane holds two blocks and copies of matrices: 60 MB for 2,048 dimensions and 1,000 classes. */
const MOST_LANES = 8;

/** What works beside others: a thread of its own, or this one. */
export interface Lane {
  /** Resolved once its program is loaded; until then others do its work. */
  readonly loaded: Promise<void>;
  /** Begins a pass, of which it is to measure blocks. */
  begin(order: BlockScatterOrder): Promise<BlockScatter>;
  /** Returns the eigenvalues of a symmetric matrix (n×n), in no order. */
  eigenvalues(matrix: Matrix): Promise<Float64Array>;
}

/** This thread as a lane: for what ends before another has begun. */
export const THIS_THREAD: Lane = {
  loaded: Promise.resolve(),
  async begin(order) {
    const scatter = blockScatter(order);
    let last: Promise<void> = Promise.resolve();
    return {
      // one block at a time, as in a thread
      measure(block) {
        last = last.then(() => scatter.measure(block));
        return last;
      },
      release: scatter.release,
    };
  },
  eigenvalues: async (matrix) => symmetricEigenvalues(matrix),
};

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
  const waiting = new Map<number, PromiseWithResolvers<Float64Array | undefined>>();
  let asked = 0;
  thread.unref();
  thread.on("message", ({ id, error, answer }: LaneAnswer) => {
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (waiting.size === 0) thread.unref();
    if (error) reject(error);
    else resolve(answer);
  });
  thread.on("error", (error) => {
    lanes = undefined; // the next pass has new ones
    areLoaded = false;
    for (const { reject } of waiting.values()) reject(error);
  });
  const ask = (message: LaneMessage): Promise<Float64Array | undefined> => {
    const id = asked++;
    const answer = Promise.withResolvers<Float64Array | undefined>();
    waiting.set(id, answer);
    thread.ref();
    thread.postMessage({ id, message });
    return answer.promise;
  };
  return {
    loaded: ask({ kind: "load" }).then(() => {}),
    async begin(order) {
      const pass = passes++;
      await ask({ kind: "begin", pass, order });
      return {
        measure: async (block) => void (await ask({ kind: "measure", pass, block })),
        release: () => void ask({ kind: "end", pass }),
      };
    },
    eigenvalues: async (matrix) => (await ask({ kind: "eigenvalues", matrix }))!,
  };
}
