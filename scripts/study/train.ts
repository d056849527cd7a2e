import { batchProgress } from "../../src/commands/progress.ts";
import { CollapsarError } from "../../src/errors.ts";
import { trainBatch } from "../../src/training/batch.ts";
import type { RunSummary } from "../../src/training/event.ts";
import type { Recipe } from "../../src/training/recipe.ts";
import type { StageTimes } from "./stageTimes.ts";

/** How the study trains: where to, until when, and who counts the time. */
export interface TrainingPlace {
  readonly store: string;
  readonly signal: AbortSignal;
  readonly times: StageTimes;
  readonly quiet?: boolean;
}

/**
 * Trains what is not trained yet, and returns how each run ended, those too that had diverged: they are part of the result.
 * @throws CollapsarError `cancelled`; and what stopped a run for another reason than that its numbers were not finite.
 */
export async function train(
  recipes: readonly Recipe[],
  { store, signal, times, quiet }: TrainingPlace,
): Promise<RunSummary[]> {
  const progress = batchProgress(recipes, quiet ? "quiet" : undefined);
  const runs = await trainBatch(recipes, {
    ...{ to: store, signal },
    onProgress(event) {
      progress.update(event);
      if (event.phase === "pushed") times.advance();
    },
  });
  await progress.end();
  if (signal.aborted) throw new CollapsarError("cancelled", "stopped; the same command goes on from here");
  const broken = runs.find(({ error }) => error !== null && !error.code.startsWith("non-finite"))?.error;
  if (broken) throw new CollapsarError(broken.code, broken.message);
  return runs;
}
