import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { symmetricEigenvalues } from "../eigenvalues.ts";
import type { Matrix } from "../matrix.ts";
import type { Rows } from "../rows.ts";
import type { LaneAnswer, LaneMessage } from "./thread.ts";
import { type LaneWork, type Order, workOf } from "./work.ts";

/** TypeScript in a clone, JavaScript in the published package. */
const PROGRAM = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url);

/** Each lane holds two blocks and copies of matrices: 60 MB for 2,048 dimensions and 1,000 classes. */
const MOST_LANES = 8;

/** What works beside others: a thread of its own, or this one. */
export interface Lane {
  /** Begins a pass, of which it is to measure blocks. */
  begin(order: Order): Promise<LaneWork>;
  /** Returns the eigenvalues of a symmetric matrix (n×n), in no order. */
  eigenvalues(matrix: Matrix): Promise<Float64Array>;
}

/** This thread as a lane: for what ends before another has begun. */
export const THIS_THREAD: Lane = {
  async begin(order) {
    const work = await workOf(order);
    let last: Promise<void> = Promise.resolve();
    return {
      // one block at a time, as in a thread
      measure(block) {
        last = last.then(() => work.measure(block));
        return last;
      },
      release: work.release,
    };
  },
  eigenvalues: async (matrix) => symmetricEigenvalues(matrix),
};

let lanes: readonly Thread[] | undefined;
let areLoaded = false;
let passes = 0;

/** Features of that many numbers and more are measured by lanes: of 20 ms of work and more. */
const LANES_NUMBERS = 2 ** 24;

/**
 * Returns who does the work of a pass over features: for few of them this thread, else the lanes of this process, a thread per
 * core, which are started once and wait for the next pass. In each every step of a block is done by one thread, products too,
 * so that no core waits for a step that has no threads. Until they are loaded, this thread works in their place.
 */
export function lanesFor({ count, columns }: Pick<Rows, "count" | "columns">): readonly Lane[] {
  if (count * columns < LANES_NUMBERS) return [THIS_THREAD];
  lanes ??= startLanes();
  return areLoaded ? lanes : [THIS_THREAD];
}

/** Returns a lane for work beside that of this thread; this one, where there is none. */
export function spareLane(): Lane {
  return areLoaded ? lanes![0]! : THIS_THREAD;
}

/** Starts the lanes and returns when they are loaded. */
export async function loadLanes(): Promise<void> {
  lanes ??= startLanes();
  for (const lane of lanes) await lane.loaded;
}

/** A lane of its own, and when its program is loaded. */
interface Thread extends Lane {
  readonly loaded: Promise<void>;
}

function startLanes(): readonly Thread[] {
  const started = Array.from({ length: Math.min(availableParallelism(), MOST_LANES) }, startLane);
  const loaded = () => {
    areLoaded = true;
  };
  Promise.all(started.map((lane) => lane.loaded)).then(loaded, () => {}); // without them this thread does all
  return started;
}

function startLane(): Thread {
  const thread = new Worker(PROGRAM);
  const waiting = new Map<number, PromiseWithResolvers<Float64Array | undefined>>();
  let asked = 0;
  let ended: Error | undefined;
  thread.unref();
  thread.on("message", ({ id, error, answer }: LaneAnswer) => {
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (waiting.size === 0) thread.unref();
    if (error) reject(error);
    else resolve(answer);
  });
  thread.on("error", (error) => {
    ended = error;
    lanes = undefined; // the next pass has new ones
    areLoaded = false;
    for (const { reject } of waiting.values()) reject(error);
  });
  const ask = async (message: LaneMessage): Promise<Float64Array | undefined> => {
    if (ended) throw ended;
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
        measureFile: async (place, turns, buffer) => void (await ask({ kind: "file", pass, place, turns, buffer })),
        release: () => void ask({ kind: "end", pass }).catch(() => {}), // a thread that has ended holds nothing
      };
    },
    eigenvalues: async (matrix) => (await ask({ kind: "eigenvalues", matrix }))!,
  };
}
