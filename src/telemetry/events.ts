import { channel } from "node:diagnostics_channel";

/**
 * What happens in the stages, told to whoever listens in this process: the instruments of `/metrics` and the traces. Where
 * nobody does, as on the command line, neither is loaded, and to tell costs nothing.
 */
export interface Event<T> {
  tell(message: T): void;
  /** Returns what ends the listening. */
  hear(listener: (message: T) => void): () => void;
}

/**
 * A stage of an evaluation that has ended: `download`, `open`, `features`, `metrics`, `record`. `endedAt` in milliseconds since
 * 1970: who hears of it from another process hears of it later.
 */
export const stageEnded = event<{ readonly stage: string; readonly seconds: number; readonly endedAt: number }>(
  "collapsar:stage-ended",
);

/** Images that have gone through a network. */
export const imagesDone = event<{ readonly images: number }>("collapsar:images-done");

/** How an attempt at a job has ended; `code` is the error's, and empty where it is done. */
export const attemptEnded = event<{ readonly outcome: "done" | "failed" | "stopped"; readonly code: string }>(
  "collapsar:attempt-ended",
);

/** What was looked for in the cache: an object of a store, or features of a set. */
export const cacheAsked = event<{ readonly kind: "object" | "features"; readonly found: boolean }>(
  "collapsar:cache-asked",
);

function event<T>(name: string): Event<T> {
  const told = channel(name);
  return {
    tell: (message) => told.publish(message),
    hear(listener) {
      const hear = (message: unknown) => listener(message as T);
      told.subscribe(hear);
      return () => told.unsubscribe(hear);
    },
  };
}
