import { Listr, ListrLogger, ProcessOutput } from "listr2";
import type { Recipe } from "../training/recipe.ts";
import { batchState, endLine, progressLine, type TrainEvent } from "./batchState.ts";

/** How a batch shows its progress. */
export interface BatchProgress {
  /** To be given every event of the batch. */
  update(event: TrainEvent): void;
  /** To be called when the batch has ended. */
  end(): Promise<void>;
}

/** `live`: a table drawn again and again. `lines`: a line per epoch. `json`: a JSON line per epoch, run's end, evaluation. */
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
  quiet: () => ({ update: () => {}, end: async () => {} }),
};

function jsonProgress(): BatchProgress {
  const told = new Set<TrainEvent["phase"]>(["pushed", "ended", "submitted", "evaluated"]);
  return {
    update(event) {
      if (told.has(event.phase)) process.stdout.write(`${JSON.stringify(event)}\n`);
    },
    end: async () => {},
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
    end: async () => {},
  };
}

/** The batch is one task, whose title is what is done and left, and whose output the table of what is running. */
function liveProgress(recipes: readonly Recipe[]): BatchProgress {
  const state = batchState(recipes);
  const ends: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let draw = () => {};
  let drawn = 0;
  const task = new Listr(
    {
      title: state.total(),
      task: (_, task) => {
        draw = () => {
          drawn = performance.now();
          task.title = state.total();
          task.output = [state.table(), ...ends].filter(Boolean).join("\n");
        };
        return promise;
      },
      rendererOptions: { persistentOutput: true },
    },
    {
      renderer: "default",
      // Ctrl-C ends the runs first, and then this
      registerSignalListeners: false,
      rendererOptions: {
        formatOutput: "truncate",
        logger: new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) }),
      },
    },
  ).run();
  return {
    update(event) {
      state.update(event);
      if (event.phase === "ended" && event.status === "failed") ends.push(endLine(event));
      if (performance.now() - drawn >= REDRAW_MILLISECONDS) draw();
    },
    async end() {
      draw();
      resolve();
      await task;
    },
  };
}
