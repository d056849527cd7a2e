import type { DatasetSources } from "../datasets/open.ts";
import { fittingProcesses } from "../training/fitting.ts";
import { measureSpeed, planRun, type RunPlan } from "../training/plan.ts";
import type { Recipe } from "../training/recipe.ts";
import { openTrainingSet } from "../training/trainingSet.ts";
import { formatDuration } from "./batchState.ts";
import { formatTable } from "./table.ts";

/** What a batch is going to do and cost. */
export interface BatchPlan {
  readonly runs: readonly RunPlan[];
  /** Runs at a time. */
  readonly concurrency: number;
  /** Of one process that has the machine to itself, measured now. */
  readonly imagesPerSecond: number;
  /** Seconds of one core for all that is left to do. */
  readonly coreSeconds: number;
  /** Until the batch has ended, if the processes do not slow each other down. */
  readonly seconds: number;
  /** Bytes that will be stored. */
  readonly bytes: number;
}

/**
 * Returns the plan of a batch whose runs differ in loss, normalisation of features and seed. Its cost is estimated from the
 * speed of some steps of the first run, which are taken now; without the number of runs at a time that was `asked` for, as
 * many as fit by the memory these steps took.
 * @throws CollapsarError as a run before its first step.
 */
export async function planBatch(
  recipes: readonly Recipe[],
  to: string,
  asked: number | undefined,
  sources: DatasetSources,
): Promise<BatchPlan> {
  const set = await openTrainingSet(recipes[0]!.dataset, sources);
  const runs: RunPlan[] = [];
  for (const recipe of recipes) runs.push(await planRun(recipe, set, to, sources.storage));
  const imagesPerSecond = await measureSpeed(recipes[0]!, set);
  const concurrency = asked ?? fittingProcesses(process.resourceUsage().maxRSS * 1024, recipes[0]!.threads);
  const each = runs.map(({ epochs, finished, images }) => ((epochs - finished) * images) / imagesPerSecond);
  const coreSeconds = each.reduce((sum, seconds) => sum + seconds, 0);
  const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
  return { runs, concurrency, imagesPerSecond, coreSeconds, seconds: endOf(each, concurrency), bytes };
}

/** Returns the plan as a table and its sum. */
export function formatPlan({ runs, concurrency, imagesPerSecond, coreSeconds, seconds, bytes }: BatchPlan): string {
  const columns = [
    ...(["run", "group"] as const).map((heading) => ({ heading, align: "left" as const })),
    ...["epochs", "done", "images/epoch", "to store"].map((heading) => ({ heading })),
  ];
  const rows = runs.map((run) =>
    [run.run, run.group, run.epochs, run.finished, run.images, megabytes(run.bytes)].map(String),
  );
  const speed = `${imagesPerSecond.toPrecision(3)} images/s by one process alone, measured now`;
  return [
    formatTable(columns, rows),
    `${runs.length} runs, ${concurrency} at a time; ${megabytes(bytes)} to store.`,
    `About ${formatDuration(coreSeconds)} of core time, ${formatDuration(seconds)} until the end (${speed}).`,
  ].join("\n");
}

/** Returns when the last of the runs ends, each begun in its order as soon as one before has ended. */
function endOf(durations: readonly number[], concurrency: number): number {
  const free = new Float64Array(concurrency);
  for (const seconds of durations) {
    const next = free.indexOf(Math.min(...free));
    free[next]! += seconds;
  }
  return Math.max(...free);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toPrecision(3)} MB`;
}
