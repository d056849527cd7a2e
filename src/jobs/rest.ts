import { setTimeout as sleep } from "node:timers/promises";

const LONGEST_REST_SECONDS = 30;

/** The rests of a worker at which one attempt after the other fails. */
export interface Rests {
  /** Rests after an attempt that failed, unless it was the first in a row; less where `signal` is aborted. */
  next(signal: AbortSignal): Promise<void>;
  /** Says that an attempt has succeeded. */
  none(): void;
  /** Ends all rests, and those to come. */
  end(): void;
}

/**
 * Returns the rests: the first of `seconds`, each twice the one before, up to LONGEST_REST_SECONDS. A worker whose disk is
 * full, or whose store is away, fails within milliseconds: it would take everything that waits from those that could do it,
 * and use up the attempts of all.
 */
export function restsOf(seconds: number): Rests {
  let failures = 0;
  const over = new AbortController();
  return {
    async next(signal) {
      failures += 1;
      if (failures === 1) return;
      const rest = Math.min(seconds * 2 ** (failures - 2), LONGEST_REST_SECONDS);
      await sleep(rest * 1000, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => {});
    },
    none() {
      failures = 0;
    },
    end: () => over.abort(),
  };
}
