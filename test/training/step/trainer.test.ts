import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/checkpoints/checkpoint.ts";
import { readSafetensors } from "../../../src/checkpoints/safetensors.ts";
import { describeNetwork } from "../../../src/networks/resnet.ts";
import { readSpec } from "../../../src/networks/spec.ts";
import { type BatchLoss, lossOf } from "../../../src/training/losses/loss.ts";
import { createTrainer, type Trainer } from "../../../src/training/step/trainer.ts";
import { floats, relativeDifference } from "../../golden.ts";

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
  return readSafetensors(
    readFileSync(new URL(`../../fixtures/torch/training-step-${name}.safetensors`, import.meta.url)),
  );
}

function withPrefix(file: Checkpoint, prefix: string): Map<string, Float32Array> {
  const found = [...file.tensors.keys()].filter((name) => name.startsWith(prefix));
  return new Map(found.map((name) => [name.slice(prefix.length), floats(file, name)]));
}

function trainerOf(
  file: Checkpoint,
  options: { velocity?: Map<string, Float32Array>; loss?: BatchLoss } = {},
): Promise<Trainer> {
  const { metadata } = file;
  const { arch, variant, width, l2_norm } = readSpec(metadata);
  const graph = describeNetwork({
    arch: arch!,
    ...variant!,
    coeff: 3,
    channels: variant!.stem === "mnist" ? 1 : 3,
    width: width!,
    l2Norm: l2_norm!,
    classes: CLASSES,
    mean: null,
    std: null,
  });
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

function expectClose(actual: Map<string, Float32Array>, expected: Map<string, Float32Array>) {
  const far = [...expected]
    .map(([name, values]) => [name, relativeDifference(actual.get(name)!, values)] as const)
    .filter(([, difference]) => !(difference < 1e-4));
  expect(far).toEqual([]);
}

describe.each(CASES)("two steps on %s", (name) => {
  it("end where PyTorch ends: losses, parameters, running statistics, velocity", async () => {
    const file = fixture(name);
    const trainer = await trainerOf(file);
    const losses = [await takeStep(trainer, file, 0), await takeStep(trainer, file, 1)].map(({ loss }) => loss);
    expect(relativeDifference(losses, floats(file, "loss"))).toBeLessThan(1e-5);
    expectClose(trainer.parameters(), withPrefix(file, "final."));
    expectClose(trainer.velocity(), withPrefix(file, "velocity."));
    trainer.dispose();
  });
});
