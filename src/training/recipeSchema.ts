import { z } from "zod";
import { ARCHITECTURES } from "../networks/spec.ts";
import { AUGMENTATIONS } from "./augment.ts";
import { LOSSES } from "./losses/loss.ts";
import { SAMPLINGS } from "./order.ts";
import { SCHEDULES } from "./schedule.ts";
import { TRAINING_ENGINES } from "./step/trainer.ts";
import { TRAINED_VARIANTS } from "./variants.ts";

const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,127}$/, "expected 1 to 128 letters, digits or . _ : + @ -");
const whole = (least: number) => {
  const expected = `expected a whole number from ${least}`;
  return z.int(expected).min(least, expected);
};
const number = (expected: string, holds: (value: number) => boolean) => z.number(expected).refine(holds, expected);
const oneOf = <T extends string>(names: readonly T[]) => z.enum(names, `expected one of ${names.join(", ")}`);

/** How a run trains, whatever it trains on: what a preset may say. */
const training = z.object({
  arch: oneOf(ARCHITECTURES),
  /** By the geometry of the images where it is not given. */
  variant: oneOf(TRAINED_VARIANTS).optional(),
  width: whole(1),
  loss: oneOf(LOSSES),
  /** Of cross-entropy: the share of a target that is spread over all classes. */
  labelSmoothing: number("expected a number from 0 and below 1", (value) => value >= 0 && value < 1),
  /** What the NC loss is multiplied by in `ce+nc`. */
  ncWeight: number("expected a positive number", (value) => value > 0),
  l2Norm: z.boolean("expected true or false"),
  epochs: whole(1),
  batchSize: whole(2),
  learningRate: number("expected a positive number", (value) => value > 0),
  momentum: number("expected a number from 0 and below 1", (value) => value >= 0 && value < 1),
  weightDecay: number("expected 0 or a positive number", (value) => value >= 0),
  schedule: oneOf(SCHEDULES),
  /** Epochs after which the learning rate of the schedule `step` falls to a tenth. */
  milestones: z.array(whole(1), "expected epochs"),
  /** Epochs over which the learning rate rises to its first value. */
  warmupEpochs: whole(0),
  /** By the dataset where it is not given. */
  augment: oneOf(AUGMENTATIONS).optional(),
  sampling: oneOf(SAMPLINGS),
  /** An epoch takes only this many images, the first of its order; all where it is not given. */
  imagesPerEpoch: whole(1).optional(),
});

/** A complete recipe, before names follow from it. */
export const recipeSchema = training.extend({
  dataset: z.string().min(1, "expected a name (digits, …) or a URL"),
  seed: whole(0),
  engine: oneOf(TRAINING_ENGINES).default("wasm"),
  /** Of native TensorFlow. It cuts its sums among its threads, so that their number decides the last bits. */
  threads: whole(1).default(1),
  experiment: identifier.optional(),
  group: identifier.optional(),
  run: identifier.optional(),
});

/** What a preset file may say. */
export const presetSchema = training.partial().extend({ description: z.string().optional() }).strict();
