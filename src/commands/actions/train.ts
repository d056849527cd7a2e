import type { Command } from "commander";
import { readConfig, toStoreUrl } from "../../config.ts";
import { datasetVersion } from "../../datasets/open.ts";
import { CollapsarError } from "../../errors.ts";
import { openStorage } from "../../storage/open.ts";
import { trainBatch } from "../../training/batch.ts";
import type { RunSummary } from "../../training/event.ts";
import type { Recipe } from "../../training/recipe.ts";
import { print } from "../output.ts";
import { batchProgress } from "../progress.ts";
import { untilToldToStop } from "../signals.ts";
import type { SubmissionEvent } from "../submissions.ts";
import type { TrainOptions } from "../train.ts";
import { openTrainEvaluation } from "../trainEvaluation.ts";
import { formatPlan, planBatch } from "../trainPlan.ts";
import { recipesOf } from "./recipes.ts";

/**
 * Trains the batch that the options describe, or prints its plan. What is wrong with a recipe is wrong usage of `command`.
 * @throws CollapsarError of the first run that failed, `cancelled`.
 */
export async function planOrTrain(options: TrainOptions, command: Command): Promise<void> {
  const recipes = recipesOf(options, command);
  await (options.dryRun ? plan(recipes, options) : train(recipes, options));
}

async function plan(recipes: readonly Recipe[], { to, concurrency, json, quiet }: TrainOptions): Promise<void> {
  const config = readConfig();
  const sources = { data: config.data, storage: openStorage({ fileRoots: null }) };
  const store = to === undefined ? config.store : toStoreUrl(to);
  print(await planBatch(recipes, store, concurrency, sources), { json, quiet }, formatPlan);
}

async function train(recipes: readonly Recipe[], options: TrainOptions): Promise<void> {
  const { to, concurrency, evaluate, ood, json, quiet } = options;
  const config = readConfig();
  const { dataset } = recipes[0]!;
  // a dataset that is not there is one failure here, and not one of every run
  await datasetVersion(dataset, { data: config.data, storage: openStorage({ fileRoots: null }) });
  const store = to === undefined ? config.store : toStoreUrl(to);
  const progress = batchProgress(recipes, json ? "json" : quiet ? "quiet" : undefined);
  const evaluation =
    evaluate === undefined
      ? null
      : await openTrainEvaluation(config, { evaluate, ood }, { store, dataset }, progress.update);
  const stop = new AbortController();
  untilToldToStop().then(() => stop.abort());
  try {
    const summaries = await trainBatch(recipes, {
      ...{ to: store, concurrency, signal: stop.signal },
      onProgress(event) {
        progress.update(event);
        if (event.phase !== "ended") for (const checkpoint of event.checkpoints) evaluation?.add(checkpoint);
      },
    });
    const submissions = stop.signal.aborted ? [] : await evaluation?.end();
    await progress.end();
    rejectUnfinished(summaries, submissions ?? []);
    if (quiet && !json) print(summaries, { quiet }, String, checkpointsOf);
    else if (!json) process.stdout.write(`${whatNext(summaries, store, recipes[0]!, submissions ?? null)}\n`);
  } finally {
    await evaluation?.close();
  }
}

function rejectUnfinished(summaries: readonly RunSummary[], submissions: readonly SubmissionEvent[]): void {
  const failed = summaries.filter(({ status }) => status === "failed");
  const first = failed[0];
  if (first) {
    const message = `${failed.length} of ${summaries.length} runs failed; ${first.run}: ${first.error!.message}`;
    throw new CollapsarError(first.error!.code, message);
  }
  if (summaries.some(({ status }) => status === "cancelled"))
    throw new CollapsarError("cancelled", "stopped; the same command goes on after the last finished epochs");
  const lost = submissions.filter(({ error }) => error !== null);
  if (lost[0]) {
    const { checkpoint, error } = lost[0];
    const message = `${lost.length} of ${submissions.length} checkpoints were not evaluated; ${checkpoint}: ${error!.message}`;
    throw new CollapsarError("internal", `${message} (${error!.code}); the same command submits them again`);
  }
}

const checkpointsOf = (summaries: readonly RunSummary[]) =>
  summaries.flatMap(({ checkpoints }) => checkpoints).join("\n");

function whatNext(
  summaries: readonly RunSummary[],
  store: string,
  { experiment }: Recipe,
  submissions: readonly SubmissionEvent[] | null,
): string {
  const checkpoints = summaries.flatMap((summary) => summary.checkpoints);
  const submitted = submissions ? `, ${submissions.length} of them submitted for evaluation` : "";
  const next = submissions
    ? `npx collapsar aggregate --experiment ${experiment} --by group`
    : `npx collapsar evaluate ${summaries[0]!.checkpoints.at(-1)}`;
  return [
    `${summaries.length} runs trained, ${checkpoints.length} checkpoints below ${store}/${experiment}${submitted}`,
    `Next: ${next}`,
  ].join("\n");
}
