import { Command, Option } from "commander";
import { readConfig, toStoreUrl } from "../config.ts";
import { datasetVersion } from "../datasets/open.ts";
import { CollapsarError } from "../errors.ts";
import { ARCHITECTURES } from "../networks/spec.ts";
import { openStorage } from "../storage/open.ts";
import { trainBatch } from "../training/batch.ts";
import type { RunSummary } from "../training/event.ts";
import { LOSSES } from "../training/losses/loss.ts";
import { batchProgress } from "../training/progress.ts";
import { DEFAULTS, gridOf, type Recipe, type RecipeInput, TRAINED_VARIANTS } from "../training/recipe.ts";
import { parseSeeds } from "../training/seeds.ts";
import { wholeNumber } from "./options.ts";
import { jsonOption } from "./output.ts";
import { untilToldToStop } from "./signals.ts";

type Shared = Parameters<typeof gridOf>[0];

interface Options extends Shared {
  readonly loss: string;
  readonly l2Norm: keyof typeof L2_NORM;
  readonly seeds: string;
  readonly to?: string;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const L2_NORM = { false: [false], true: [true], both: [false, true] } as const;

const numbers = (text: string) => text.split(",").map(Number);

/** Returns the command `train`: networks from several seeds, in parallel, a checkpoint pushed after every epoch. */
export function trainCommand(): Command {
  return new Command("train")
    .description("Train a batch of networks, one per loss and seed, and push a checkpoint after every epoch.")
    .requiredOption("--dataset <name>", "digits, fashion-mnist, … or the path or URL of a file of images")
    .addOption(new Option("--arch <name>", "architecture").choices(ARCHITECTURES).default(DEFAULTS.arch))
    .addOption(
      new Option("--variant <name>", "stem of the network (default: what fits the images)").choices(TRAINED_VARIANTS),
    )
    .option("--width <channels>", "channels of the first stage", Number, DEFAULTS.width)
    .option("--loss <names>", `losses to train with, one group each: ${LOSSES.join(", ")}`, "ce")
    .addOption(
      new Option("--l2-norm [choice]", "divide the features by their norm; both: groups with and without")
        .choices(Object.keys(L2_NORM))
        .preset("true")
        .default("false"),
    )
    .option("--seeds <list>", "seeds to train from: 1-3,7", "1")
    .option("--epochs <count>", "passes over the training images", Number, DEFAULTS.epochs)
    .option("--batch-size <images>", "images per step", Number, DEFAULTS.batchSize)
    .option("--images-per-epoch <images>", "shorten each epoch to this many images (default: all)", Number)
    .option("--learning-rate <rate>", "at the start", Number, DEFAULTS.learningRate)
    .option("--momentum <factor>", "of stochastic gradient descent", Number, DEFAULTS.momentum)
    .option("--weight-decay <factor>", "of all weights", Number, DEFAULTS.weightDecay)
    .option("--milestones <epochs>", "after which the learning rate falls to a tenth", numbers, [
      ...DEFAULTS.milestones,
    ])
    .option("--experiment <name>", "what the runs belong to (default: the dataset's name)")
    .option("--to <url>", "s3://bucket/prefix or a folder to push to (default: COLLAPSAR_STORE)")
    .option("--concurrency <runs>", "runs trained at a time (default: as many as there are cores)", wholeNumber(1))
    .addOption(jsonOption())
    .option("--quiet", "show no progress")
    .action(async (options: Options, command: Command) => {
      const recipes = recipesOf(options, command);
      await train(recipes, options);
    });
}

/** The recipes asked for; what is wrong with them is wrong usage. */
function recipesOf(options: Options, command: Command): Recipe[] {
  const losses = options.loss.split(",") as RecipeInput["loss"][];
  try {
    return gridOf(options, { losses, seeds: parseSeeds(options.seeds), l2Norms: L2_NORM[options.l2Norm] });
  } catch (error) {
    if (error instanceof CollapsarError && error.code === "invalid-request")
      command.error(`error: option --${error.message}`, { exitCode: 2 });
    throw error;
  }
}

async function train(recipes: readonly Recipe[], { to, concurrency, json, quiet }: Options): Promise<void> {
  const config = readConfig();
  // a dataset that is not there is one failure here, and not one of every run
  await datasetVersion(recipes[0]!.dataset, { data: config.data, storage: openStorage({ fileRoots: null }) });
  const store = to === undefined ? config.store : toStoreUrl(to);
  const progress = batchProgress(recipes, json ? "json" : quiet ? "quiet" : undefined);
  const stop = new AbortController();
  untilToldToStop().then(() => stop.abort());
  const options = { to: store, concurrency, signal: stop.signal, onProgress: progress.update };
  const summaries = await trainBatch(recipes, options);
  progress.end();
  rejectUnfinished(summaries);
  if (!json) process.stdout.write(`${whatNext(summaries, store, recipes[0]!)}\n`);
}

function rejectUnfinished(summaries: readonly RunSummary[]): void {
  const failed = summaries.filter(({ status }) => status === "failed");
  const first = failed[0];
  if (first) {
    const message = `${failed.length} of ${summaries.length} runs failed; ${first.run}: ${first.error!.message}`;
    throw new CollapsarError(first.error!.code, message);
  }
  if (summaries.some(({ status }) => status === "cancelled"))
    throw new CollapsarError("cancelled", "stopped; the same command goes on after the last finished epochs");
}

function whatNext(summaries: readonly RunSummary[], store: string, { experiment }: Recipe): string {
  const checkpoints = summaries.flatMap((summary) => summary.checkpoints);
  return [
    `${summaries.length} runs trained, ${checkpoints.length} checkpoints below ${store}/${experiment}`,
    `Next: npx collapsar evaluate ${summaries[0]!.checkpoints.at(-1)}`,
  ].join("\n");
}
