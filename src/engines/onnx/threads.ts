import { availableParallelism } from "node:os";

/** Runs of each candidate that are timed, after one that is not. */
const TIMED_RUNS = 3;

/** A network loaded with a number of threads. */
export interface Threaded {
  /** Runs a small batch once. */
  trial(): Promise<unknown>;
  dispose(): Promise<void>;
}

let chosen: number | undefined;

/** Numbers of threads that may be best: those this process may use, and half of them, where two share a core. */
export function threadCandidates(available: number = availableParallelism()): readonly number[] {
  return available < 4 ? [available] : [available, Math.ceil(available / 2)];
}

/**
 * Returns the network loaded with the number of threads that runs it fastest. That is measured once per process. Left to
 * itself ONNX Runtime takes one thread per core of the machine, also where a container may use but a few of these.
 */
export async function loadFastest<T extends Threaded>(
  load: (threads: number) => Promise<T>,
  candidates: readonly number[] = threadCandidates(),
): Promise<T> {
  const known = chosen ?? (candidates.length === 1 ? candidates[0]! : undefined);
  if (known !== undefined) return load(known);
  let best: { model: T; threads: number; milliseconds: number } | undefined;
  for (const threads of candidates) {
    const model = await load(threads);
    const milliseconds = await timed(model);
    const slower = best && best.milliseconds <= milliseconds ? model : best?.model;
    if (slower !== model) best = { model, threads, milliseconds };
    await slower?.dispose();
  }
  chosen = best!.threads;
  return best!.model;
}

async function timed(model: Threaded): Promise<number> {
  await model.trial();
  const begun = performance.now();
  for (let run = 0; run < TIMED_RUNS; run++) await model.trial();
  return performance.now() - begun;
}
