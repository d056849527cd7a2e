import { stageEnded } from "../telemetry/events.ts";

/** Tells how long the stages of a work took. */
export interface Stopwatch {
  /** Seconds by stage. */
  readonly laps: Readonly<Record<string, number>>;
  /** Ends a stage; the next begins. */
  lap(name: string): void;
}

/** Returns a stopwatch that runs. */
export function stopwatch(): Stopwatch {
  let last = performance.now();
  const laps: Record<string, number> = {};
  return {
    laps,
    lap(name) {
      const now = performance.now();
      const seconds = (now - last) / 1000;
      laps[name] = seconds;
      last = now;
      stageEnded.tell({ stage: name, seconds, endedAt: Date.now() });
    },
  };
}
