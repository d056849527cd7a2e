import { formatDuration } from "./batchState.ts";
import type { OutputOptions } from "./output.ts";

const REDRAW_MILLISECONDS = 100;
const BAR_CELLS = 20;
/** In stages that count what has no name, and in a terminal that is too narrow for a bar, there is none. */
const LEAST_COLUMNS_OF_BAR = 70;

/** What a stage counts. */
export type Unit = "img" | "bytes" | "parts";

/** A line on standard error that is drawn again as work goes on. */
export interface ProgressLine {
  update(stage: string, done: number, total: number, unit?: Unit): void;
  /** Clears the line. */
  end(): void;
}

/**
 * Returns a line that tells how much of a stage is done, how fast and for how long still; a silent one where standard
 * error is no terminal, a program reads the output, or it is not wanted.
 */
export function progressLine({ json, quiet }: OutputOptions = {}): ProgressLine {
  const { stderr } = process;
  if (json || quiet || !stderr.isTTY) return { update: () => {}, end: () => {} };
  let current = { stage: "", started: 0, from: 0 };
  let drawn = 0;
  return {
    update(stage, done, total, unit = "img") {
      const now = performance.now();
      if (stage !== current.stage) current = { stage, started: now, from: done };
      if (now - drawn < REDRAW_MILLISECONDS) return;
      drawn = now;
      const seconds = (now - current.started) / 1000;
      const text = formatProgress({ stage, from: current.from, done, total, unit, seconds }, stderr.columns);
      stderr.write(`\r\x1b[K${text.slice(0, stderr.columns - 1)}`);
    },
    end: () => void stderr.write("\r\x1b[K"),
  };
}

/** How far a stage is, `seconds` after it was first heard of. */
export interface StageProgress {
  readonly stage: string;
  /** What was done by then: of an evaluation that had begun before, say. */
  readonly from: number;
  readonly done: number;
  readonly total: number;
  readonly unit: Unit;
  readonly seconds: number;
}

/** Returns `train ━━━━━━━━━━━━──────── 60 % 4800/8000 186 img/s 0:17 left`, without the bar where `columns` are few. */
export function formatProgress({ stage, from, done, total, unit, seconds }: StageProgress, columns: number): string {
  const share = total > 0 ? Math.min(done / total, 1) : 0;
  const filled = Math.round(share * BAR_CELLS);
  const bar = columns < LEAST_COLUMNS_OF_BAR ? [] : ["━".repeat(filled) + "─".repeat(BAR_CELLS - filled)];
  const count = unit === "bytes" ? `${megabytes(done)}/${megabytes(total)} MB` : `${done}/${total}`;
  const perSecond = (done - from) / seconds;
  const known = done > from && seconds > 0;
  const speed = unit === "bytes" ? `${megabytes(perSecond)} MB/s` : `${Number(perSecond.toPrecision(3))} ${unit}/s`;
  const pace = known ? [speed, `${formatDuration((total - done) / perSecond)} left`] : [];
  return [stage, ...bar, `${Math.floor(100 * share)} %`, count, ...pace].join("  ");
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
