import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../../src/checkpoints/checkpoint.ts";
import { type LossName, lossOf } from "../../../src/training/losses/loss.ts";
import { createTrainer, type TrainingEngine } from "../../../src/training/step/trainer.ts";
import { floats, relativeDifference } from "../../golden.ts";
import { ENGINES, farFrom, graphOf, readFixture, withPrefix } from "./fixture.ts";

const NETWORKS = ["cifar", "mnist", "cifar-l2", "mnist-mod", "cifar-mod", "mnist-sn", "cifar-mod-sn"];
const CASES: readonly (readonly [string, LossName])[] = [
  ...NETWORKS.flatMap((network) => [[network, "ce"] as const, [network, "nc"] as const]),
  ...(["cifar", "mnist"] as const).map((network) => [network, "ce+nc"] as const),
];
/** Of `ce+nc` in the fixtures. */
const WEIGHTED = { labelSmoothing: 0.1, ncWeight: 0.3 };

function trainerOf(
  file: Checkpoint,
  engine: TrainingEngine,
  loss: LossName,
  descent: { momentum: number; weightDecay: number },
) {
  const graph = graphOf(file);
  return createTrainer({
    graph,
    parameters: withPrefix(file, "initial."),
    loss: lossOf(loss, graph.classes, loss === "ce+nc" ? WEIGHTED : {}),
    engine,
    ...descent,
  });
}

describe.each(ENGINES)("training on %s", (engine) => {
  it.each(CASES)("has PyTorch's gradients of the network %s and the loss %s", async (network, loss) => {
    const file = readFixture(`training/gradients-${network}`);
    const trainer = await trainerOf(file, engine, loss, { momentum: 0.9, weightDecay: 0 });
    const [images, labels] = ["images", "labels"].map((name) => file.tensors.get(name)!.data);
    const result = await trainer.step(images as Uint8Array, labels as Int32Array, 0.1);
    expect(relativeDifference([result.loss], floats(file, `loss.${loss}`))).toBeLessThan(1e-5);
    // without weight decay the first velocity is the gradient
    const expected = withPrefix(file, `gradient.${loss}.`);
    expect(expected.size).toBeGreaterThan(40);
    expect(farFrom(trainer.velocity(), expected, 1e-3)).toEqual([]);
    expect(farFrom(trainer.parameters(), withPrefix(file, "after."), 2e-5)).toEqual([]);
    trainer.dispose();
  });

  it.each(["mnist", "cifar"])("has PyTorch's running statistics of the network %s after ten steps", async (network) => {
    const file = readFixture(`training/statistics-${network}`);
    const [learningRate, momentum, weightDecay, steps] = ["learning_rate", "momentum", "weight_decay", "steps"].map(
      (name) => Number(file.metadata[name]),
    ) as [number, number, number, number];
    const trainer = await trainerOf(file, engine, "ce", { momentum, weightDecay });
    const images = file.tensors.get("images")!.data as Uint8Array;
    const labels = file.tensors.get("labels")!.data as Int32Array;
    const part = <T extends Uint8Array | Int32Array>(of: T, step: number) =>
      of.subarray((step * of.length) / steps, ((step + 1) * of.length) / steps) as T;
    for (let step = 0; step < steps; step++) await trainer.step(part(images, step), part(labels, step), learningRate);
    expect(farFrom(trainer.parameters(), withPrefix(file, "after."), 2e-5)).toEqual([]);
    trainer.dispose();
  });
});
