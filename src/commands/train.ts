import { Command } from "commander";
import { readConfig, toStoreUrl } from "../config.ts";
import { datasetVersion } from "../datasets/open.ts";
import { CollapsarError } from "../errors.ts";
import { openStorage } from "../storage/open.ts";
import { trainBatch } from "../training/batch.ts";
import type { RunSummary } from "../training/event.ts";
import type { Recipe } from "../training/recipe.ts";
import { type OodSets, oodOption, wholeNumber } from "./options.ts";
import { jsonOption, print } from "./output.ts";
import { batchProgress } from "./progress.ts";
import { untilToldToStop } from "./signals.ts";
import type { SubmissionEvent } from "./submissions.ts";
import { openTrainEvaluation } from "./trainEvaluation.ts";
import { formatPlan, planBatch } from "./trainPlan.ts";
import { addRecipeOptions, type RecipeOptions, recipesOf } from "./trainRecipes.ts";

interface Options extends RecipeOptions {
  readonly to?: string;
  readonly evaluate?: string | true;
  readonly ood: OodSets;
  readonly concurrency?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Returns the command `train`: networks from several seeds, in parallel, a checkpoint pushed after every epoch. */
export function trainCommand(): Command {
  const command = new Command("train").description(
    "Train a batch of networks, one per loss, normalisation and seed; push a checkpoint after every epoch.",
  );
  return addRecipeOptions(command)
    .option("--to <url>", "s3://bucket/prefix or a folder to push to (default: COLLAPSAR_STORE)")
    .option(
      "--evaluate [url]",
      "submit every checkpoint to the service at this URL (default: the one that has the database, or one here)",
    )
    .addOption(oodOption())
    .option(
      "--concurrency <runs>",
      "runs trained at a time (default: as many as cores and memory take)",
      wholeNumber(1),
    )
    .option("--dry-run", "print what would be done, and an estimate of what it costs")
    .addOption(jsonOption())
    .option("--quiet", "show no progress")
    .action(async (options: Options, command: Command) => {
      const recipes = recipesOf(options, command);
      await (options.dryRun ? plan(recipes, options) : train(recipes, options));
    });
}

async function plan(recipes: readonly Recipe[], { to, concurrency, json }: Options): Promise<void> {
  const config = readConfig();
  const sources = { data: config.data, storage: openStorage({ fileRoots: null }) };
  const store = to === undefined ? config.store : toStoreUrl(to);
  print(await planBatch(recipes, store, concurrency, sources), json, formatPlan);
}

async function train(recipes: readonly Recipe[], options: Options): Promise<void> {
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
    if (!json) process.stdout.write(`${whatNext(summaries, store, recipes[0]!, submissions ?? null)}\n`);
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
