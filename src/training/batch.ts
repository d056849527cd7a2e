import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { CollapsarError } from "../errors.ts";
import type { BatchEvent, RunSummary } from "./event.ts";
import { fittingProcesses, mostProcesses } from "./fitting.ts";
import type { Recipe } from "./recipe.ts";
import type { Order, Report } from "./runner.ts";

/** Characters kept of what a process writes to standard error. */
const LAST_WORDS = 4096;

/** How a batch is trained. */
export interface BatchOptions {
  /** URL of the folder that gets `EXPERIMENT/RUN/epoch-0001.safetensors`, … */
  readonly to: string;
  /** Processes at a time; default: as many as fit, known once the first has taken a step. */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((event: BatchEvent) => void) | undefined;
  /** Stops all runs after the batch of images they are at; their finished epochs stay and are not repeated. */
  readonly signal?: AbortSignal | undefined;
}

/** TypeScript in a clone, JavaScript in the published package. */
const RUNNER = fileURLToPath(new URL(`./runner${extname(import.meta.filename)}`, import.meta.url));

/**
 * Trains all runs, each in a process of its own, and returns how each ended, in the order of `recipes`. A run that fails
 * does not stop the others.
 * @throws CollapsarError `invalid-request` where two recipes have the same run id.
 */
export async function trainBatch(recipes: readonly Recipe[], options: BatchOptions): Promise<RunSummary[]> {
  rejectTwins(recipes);
  const { concurrency, onProgress } = options;
  const threads = Math.max(1, ...recipes.map((recipe) => recipe.threads));
  const { promise: fitting, resolve: decide } = Promise.withResolvers<number>();
  const summaries: RunSummary[] = [];
  const waiting = recipes.entries();
  const trainWaiting = async () => {
    for (const [i, recipe] of waiting) {
      summaries[i] = await trainInProcess(recipe, options, (memory) => decide(fittingProcesses(memory, threads)));
      onProgress?.({ phase: "ended", ...summaries[i] });
    }
  };
  const trainIfFitting = async (i: number) => {
    if (i < (concurrency ?? (await fitting))) await trainWaiting();
  };
  const first = trainWaiting().finally(() => decide(1));
  const others = Array.from({ length: (concurrency ?? mostProcesses(threads)) - 1 }, (_, i) => trainIfFitting(i + 1));
  await Promise.all([first, ...others]);
  return summaries;
}

async function trainInProcess(
  recipe: Recipe,
  { to, onProgress, signal }: BatchOptions,
  onStep: (memory: number) => void,
): Promise<RunSummary> {
  const { run } = recipe;
  if (signal?.aborted) return { run, status: "cancelled", epochs: 0, checkpoints: [], error: null };
  const child = fork(RUNNER, { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const stop = () => child.connected && child.disconnect();
  signal?.addEventListener("abort", stop);

  let epochs = 0;
  const checkpoints: string[] = [];
  let error: RunSummary["error"] = null;
  child.on("message", (report: Report) => {
    if (report.phase === "failed") {
      error = { code: report.code, message: report.message };
      return;
    }
    const { memory, ...progress } = report;
    if (progress.phase === "training") onStep(memory);
    else epochs = progress.epoch;
    checkpoints.push(...progress.checkpoints);
    onProgress?.(progress);
  });
  // a child that cannot be told is one that has ended, and how it ended is what counts
  child.send({ recipe, to } satisfies Order, () => {});
  const end = await endOf(child);
  signal?.removeEventListener("abort", stop);

  if (error) return { run, status: "failed", epochs, checkpoints, error };
  if (epochs === recipe.epochs) return { run, status: "succeeded", epochs, checkpoints, error };
  if (signal?.aborted) return { run, status: "cancelled", epochs, checkpoints, error };
  const message = `the process of run ${run} ended early: ${end}`;
  return { run, status: "failed", epochs, checkpoints, error: { code: "internal", message } };
}

/** Returns how a process ended, in words: its signal or exit code, and the last line it wrote to standard error. */
async function endOf(child: ChildProcess): Promise<string> {
  let written = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    written = (written + text).slice(-LAST_WORDS);
  });
  // "close" would wait for the channel too, and never comes where it was closed from here (Node 24.21)
  const ended = Promise.all([once(child, "exit"), once(child.stderr!, "close")]).then(([exit]) => exit);
  const [code, signal] = await ended.catch((cause: Error) => [cause.message]);
  const lastLine = written.trimEnd().split("\n").at(-1);
  return [signal ?? `exit code ${code}`, lastLine].filter(Boolean).join(", ");
}

function rejectTwins(recipes: readonly Recipe[]): void {
  const runs = recipes.map(({ run }) => run);
  const twin = runs.find((run, i) => runs.indexOf(run) !== i);
  if (twin) throw new CollapsarError("invalid-request", `two runs of the batch have the same id, ${twin}`);
}
