import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What of the study takes time. */
export type Stage = "training" | "evaluation" | "full training" | "full evaluation";

/** Wall-clock seconds of each stage, over all sessions that worked on it. */
export type StageSeconds = Readonly<Partial<Record<Stage, number>>>;

/** The time that the stages take, kept in a file: the study may be stopped at any moment and go on later. */
export interface StageTimes {
  readonly seconds: StageSeconds;
  /** Work on `stage` begins. */
  begin(stage: Stage): void;
  /** A part of it is done for good; the time since the last one counts. What is lost with a killed process does not. */
  advance(): void;
}

/** Returns the times in the file at `path`, which need not be there yet. */
export function openStageTimes(path: string): StageTimes {
  const seconds: Partial<Record<Stage, number>> = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  mkdirSync(dirname(path), { recursive: true });
  let [current, since]: [Stage | undefined, number] = [undefined, 0];
  return {
    seconds,
    begin(stage) {
      [current, since] = [stage, performance.now()];
    },
    advance() {
      const now = performance.now();
      seconds[current!] = (seconds[current!] ?? 0) + (now - since) / 1000;
      since = now;
      writeFileSync(path, JSON.stringify(seconds));
    },
  };
}
