import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/checkpoints/checkpoint.ts";
import { type BatchLoss, lossOf } from "../../../src/training/losses/loss.ts";
import { createTrainer, type Trainer, type TrainingEngine } from "../../../src/training/step/trainer.ts";
import { floats, relativeDifference } from "../../golden.ts";
import { ENGINES, farFrom, graphOf, readFixture, withPrefix } from "./fixture.ts";

const CASES = ["mnist", "cifar", "mnist-l2", "cifar-l2-centres"];
const CLASSES = 5;

/** `½ mean ‖h − w_y‖²`: a loss of features and classifier that leaves the bias without a gradient. */
const centres: BatchLoss = ({ features, weight, labels }) => {
  const dimensions = weight.length / CLASSES;
  const gradFeatures = features.map(
    (value, i) => value - weight[labels[Math.floor(i / dimensions)]! * dimensions + (i % dimensions)]!,
  );
  const gradWeight = new Float64Array(weight.length);
  gradFeatures.forEach((value, i) => {
    gradWeight[labels[Math.floor(i / dimensions)]! * dimensions + (i % dimensions)]! -= value / labels.length;
  });
  const value = gradFeatures.reduce((sum, x) => sum + x * x, 0) / labels.length / 2;
  return { value, terms: {}, gradFeatures: gradFeatures.map((x) => x / labels.length), gradLogits: null, gradWeight };
};

function fixture(name: string): Checkpoint {
  return readFixture(`torch/training-step-${name}`);
}

function trainerOf(
  file: Checkpoint,
  options: { engine: TrainingEngine; parameters?: Map<string, Float32Array>; velocity?: Map<string, Float32Array> },
): Promise<Trainer> {
  const { metadata } = file;
  const graph = graphOf(file);
  return createTrainer({
    graph,
    parameters: withPrefix(file, "initial."),
    loss: metadata.loss === "ce" ? lossOf("ce", CLASSES) : centres,
    momentum: Number(metadata.momentum),
    weightDecay: Number(metadata.weight_decay),
    ...options,
  });
}

async function takeStep(trainer: Trainer, file: Checkpoint, step: number) {
  const labels = file.tensors.get(`labels.${step}`)!.data as Int32Array;
  return trainer.step(floats(file, `images.${step}`), labels, Number(file.metadata.learning_rate));
}

describe.each(ENGINES)("a trainer on %s", (engine) => {
  it.each(CASES)("ends two steps on %s where PyTorch ends", async (name) => {
    const file = fixture(name);
    const trainer = await trainerOf(file, { engine });
    const losses = [await takeStep(trainer, file, 0), await takeStep(trainer, file, 1)].map(({ loss }) => loss);
    expect(relativeDifference(losses, floats(file, "loss"))).toBeLessThan(1e-5);
    expect(farFrom(trainer.parameters(), withPrefix(file, "final."), 1e-4)).toEqual([]);
    expect(farFrom(trainer.velocity(), withPrefix(file, "velocity."), 1e-4)).toEqual([]);
    trainer.dispose();
  });

  it("gives the same bytes again, and goes on from a copy to the same bytes", async () => {
    const file = fixture("mnist");
    const whole = await trainerOf(file, { engine });
    await takeStep(whole, file, 0);
    const [parameters, velocity] = [whole.parameters(), whole.velocity()];
    await takeStep(whole, file, 1);
    const resumed = await trainerOf(file, { engine, parameters, velocity });
    await takeStep(resumed, file, 1);
    expect(resumed.parameters()).toEqual(whole.parameters());
    expect(resumed.velocity()).toEqual(whole.velocity());
    for (const trainer of [whole, resumed]) trainer.dispose();
  });

  it("leaves everything as it was where the loss is not finite", async () => {
    const file = fixture("mnist");
    const initial = withPrefix(file, "initial.");
    const weight = initial.get("fc.weight")!.map(() => Number.NaN);
    const trainer = await trainerOf(file, { engine, parameters: new Map(initial).set("fc.weight", weight) });
    await expect(takeStep(trainer, file, 0)).rejects.toMatchObject({
      code: "non-finite-loss",
      message: "the loss of step 1 is NaN, expected a finite number",
    });
    expect(trainer.parameters()).toEqual(new Map(initial).set("fc.weight", weight));
    trainer.dispose();
  });

  it("refuses a network whose images may have any size", async () => {
    const graph = { ...graphOf(fixture("mnist")), size: null };
    const options = {
      graph,
      parameters: new Map(),
      loss: lossOf("ce", CLASSES),
      momentum: 0.9,
      weightDecay: 0,
      engine,
    };
    await expect(createTrainer(options)).rejects.toMatchObject({ code: "unsupported-network" });
  });

  it("takes no more memory after a thousand steps", { timeout: 300_000 }, async () => {
    const file = fixture("mnist");
    const trainer = await trainerOf(file, { engine });
    const takeSteps = async (count: number) => {
      for (let step = 0; step < count; step++) await takeStep(trainer, file, 0);
      return { MiB: process.memoryUsage.rss() / 2 ** 20, tensors: tf.memory().numTensors };
    };
    const before = await takeSteps(100);
    const after = await takeSteps(1000);
    expect(after.tensors).toBe(before.tensors);
    // activations of 1 MiB a step would be four times as much; what JavaScript has not collected yet is up to 200 MiB
    expect(after.MiB - before.MiB).toBeLessThan(256);
    trainer.dispose();
  });
});
