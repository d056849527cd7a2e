import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

/** Threads every program is given. */
export const THREADS = availableParallelism();

/** Returns what a reader must know of the machine; `load` (of the last minute) tells whether others use it. */
export function describeMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    threads: THREADS,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0]!,
  };
}
