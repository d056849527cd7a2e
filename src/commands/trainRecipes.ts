import { type Command, Option } from "commander";
import { ARCHITECTURES } from "../networks/family.ts";
import { AUGMENTATIONS } from "../training/augment.ts";
import { LOSSES } from "../training/losses/loss.ts";
import { SAMPLINGS } from "../training/order.ts";
import type { gridOf } from "../training/recipe.ts";
import { SCHEDULES } from "../training/schedule.ts";
import { TRAINING_ENGINES } from "../training/step/trainer.ts";
import { TRAINED_VARIANTS } from "../training/variants.ts";

/** What the options that `addRecipeOptions` adds give. */
export interface RecipeOptions extends Omit<Parameters<typeof gridOf>[0], "loss"> {
  readonly preset: string;
  readonly loss?: string;
  readonly l2Norm?: string | true;
  readonly seeds: string;
}

const numbers = (text: string) => text.split(",").map(Number);

/** Adds the options that say what is trained and how, and returns the command. */
export function addRecipeOptions(command: Command): Command {
  const byPreset = (text: string) => `${text} (default: the preset's)`;
  return command
    .requiredOption("--dataset <name>", "digits, fashion-mnist, … or the path or URL of a file of images")
    .option("--preset <name>", "how to train: ddu, or the path of a JSON file; options given here win", "ddu")
    .option("--loss <names>", byPreset(`losses to train with, one group each: ${LOSSES.join(", ")}`))
    .option(
      "--label-smoothing <share>",
      byPreset("of cross-entropy: what of a target is spread over all classes"),
      Number,
    )
    .option("--nc-weight <factor>", byPreset("what the NC loss is multiplied by in ce+nc"), Number)
    .option("--l2-norm [values]", byPreset("divide the features by their norm: true, false, or true,false for both"))
    .option("--seeds <list>", "seeds to train from: 1-3,7", "1")
    .addOption(new Option("--arch <name>", byPreset("architecture")).choices(ARCHITECTURES))
    .addOption(
      new Option("--variant <name>", "stem of the network (default: what fits the images)").choices(TRAINED_VARIANTS),
    )
    .addOption(
      new Option("--engine <name>", "what trains; tensorflow is the fastest and needs npm run tensorflow")
        .choices(TRAINING_ENGINES)
        .default("wasm"),
    )
    .option("--threads <count>", "of each run, on the engine tensorflow", Number, 1)
    .option("--width <channels>", byPreset("channels of the first stage"), Number)
    .option("--epochs <count>", byPreset("passes over the training images"), Number)
    .option("--batch-size <images>", byPreset("images per step"), Number)
    .option("--images-per-epoch <images>", "shorten each epoch to this many images (default: all)", Number)
    .option("--learning-rate <rate>", byPreset("at the start"), Number)
    .option("--momentum <factor>", byPreset("of stochastic gradient descent"), Number)
    .option("--weight-decay <factor>", byPreset("of all weights"), Number)
    .addOption(new Option("--schedule <name>", byPreset("how the learning rate falls")).choices(SCHEDULES))
    .option("--milestones <epochs>", byPreset("after which it falls to a tenth, by the schedule step"), numbers)
    .option("--warmup-epochs <count>", byPreset("in which it rises to its first value"), Number)
    .addOption(
      new Option("--augment <name>", "random crops and flips (default: for cifar10 and cifar100)").choices(
        AUGMENTATIONS,
      ),
    )
    .addOption(
      new Option("--sampling <name>", byPreset("stratified: every batch has its share of every class")).choices(
        SAMPLINGS,
      ),
    )
    .option("--experiment <name>", "what the runs belong to (default: the dataset's name)");
}
