import { batchState, endLine, progressLine } from "./batchState.ts";
import type { BatchEvent } from "./event.ts";
import type { Recipe } from "./recipe.ts";

/** How a batch shows its progress. */
export interface BatchProgress {
  /** To be given every event of the batch. */
  update(event: BatchEvent): void;
  /** To be called when the batch has ended. */
  end(): void;
}

/** `live`: a block drawn again and again. `lines`: a line per epoch. `json`: a JSON line per epoch and per run's end. */
export type ProgressStyle = "live" | "lines" | "json" | "quiet";

/** Often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MILLISECONDS = 100;

/**
 * Returns the progress display of a batch: JSON on standard output, everything for people on standard error, drawn live
 * where that is a terminal.
 */
export function batchProgress(
  recipes: readonly Recipe[],
  style: ProgressStyle = process.stderr.isTTY ? "live" : "lines",
): BatchProgress {
  return STYLES[style](recipes);
}

const STYLES: Readonly<Record<ProgressStyle, (recipes: readonly Recipe[]) => BatchProgress>> = {
  live: liveProgress,
  lines: linesProgress,
  json: jsonProgress,
  quiet: () => ({ update: () => {}, end: () => {} }),
};

function jsonProgress(): BatchProgress {
  return {
    update(event) {
      if (event.phase === "pushed" || event.phase === "ended") process.stdout.write(`${JSON.stringify(event)}\n`);
    },
    end: () => {},
  };
}

function linesProgress(recipes: readonly Recipe[]): BatchProgress {
  const state = batchState(recipes);
  return {
    update(event) {
      state.update(event);
      if (event.phase === "pushed") process.stderr.write(`${progressLine(event)} (batch: ${state.total()})\n`);
      if (event.phase === "ended") process.stderr.write(`${endLine(event)}\n`);
    },
    end: () => {},
  };
}

/** Runs that have ended scroll away above a block of the running ones, so the block fits the screen for any batch. */
function liveProgress(recipes: readonly Recipe[]): BatchProgress {
  const { stderr } = process;
  const state = batchState(recipes);
  let height = 0;
  let drawn = 0;
  const draw = (ended: readonly string[], block: readonly string[]) => {
    const lines = [...ended, ...block.map((line) => line.slice(0, stderr.columns - 1))];
    stderr.write(`${height > 0 ? `\x1b[${height}F\x1b[J` : ""}${lines.map((line) => `${line}\n`).join("")}`);
    height = block.length;
    drawn = performance.now();
  };
  return {
    update(event) {
      state.update(event);
      if (event.phase === "ended") draw([endLine(event)], [...state.running(), state.total()]);
      else if (performance.now() - drawn >= REDRAW_MILLISECONDS) draw([], [...state.running(), state.total()]);
    },
    end: () => draw([], []),
  };
}
