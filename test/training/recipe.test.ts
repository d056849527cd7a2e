import { describe, expect, it } from "vitest";
import { gridOf, type RecipeInput, recipeOf } from "../../src/training/recipe.ts";

const least: RecipeInput = { dataset: "digits", loss: "nc", seed: 3 };

describe("a recipe", () => {
  it("is DDU's training where nothing else is said", () => {
    expect(recipeOf(least)).toMatchObject({
      arch: "resnet18",
      width: 64,
      l2Norm: false,
      epochs: 350,
      batchSize: 128,
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 5e-4,
      milestones: [150, 250],
    });
  });

  it("names experiment, group and run", () => {
    expect(recipeOf(least)).toMatchObject({ experiment: "digits", group: "nc", run: "digits-nc-seed3" });
    expect(recipeOf({ ...least, l2Norm: true, experiment: "x" })).toMatchObject({
      group: "nc+l2",
      run: "x-nc+l2-seed3",
    });
    expect(recipeOf({ ...least, dataset: "s3://bucket/my letters.safetensors" }).experiment).toBe("my-letters");
    expect(recipeOf({ ...least, dataset: "digits:train" })).toEqual(recipeOf(least));
    expect(recipeOf({ ...least, dataset: "/data/x.safetensors" }).dataset).toBe("file:///data/x.safetensors");
    expect(recipeOf({ ...least, run: "mine", group: "A" })).toMatchObject({ group: "A", run: "mine" });
  });

  it.each<[string, object]>([
    ["loss: expected one of ce, nc, ce+nc", { loss: "mse" }],
    ["arch: expected one of resnet18, resnet34, resnet50, resnet101, resnet152", { arch: "vgg" }],
    [
      "variant: expected one of cifar, cifar+mod, cifar+sn, cifar+mod+sn, mnist, mnist+mod, mnist+sn, mnist+mod+sn",
      { variant: "tall" },
    ],
    ["width: expected a whole number from 1", { width: 0 }],
    ["epochs: expected a whole number from 1", { epochs: 1.5 }],
    ["batch-size: expected a whole number from 2", { batchSize: 1 }],
    ["learning-rate: expected a positive number", { learningRate: Number.NaN }],
    ["learning-rate: expected a positive number", { learningRate: 0 }],
    ["momentum: expected a number from 0 and below 1", { momentum: 1 }],
    ["weight-decay: expected 0 or a positive number", { weightDecay: -1 }],
    ["milestones: expected a whole number from 1", { milestones: [150, Number.NaN] }],
    ["images-per-epoch: expected at least one batch (128 images), got 100", { imagesPerEpoch: 100 }],
    ["warmup-epochs: expected fewer than the 5 epochs, got 5", { schedule: "cosine", warmupEpochs: 5, epochs: 5 }],
    ["label-smoothing: expected a number from 0 and below 1", { labelSmoothing: 1 }],
    ["nc-weight: expected a positive number", { ncWeight: 0 }],
    ["schedule: expected one of step, cosine", { schedule: "linear" }],
    ["sampling: expected one of shuffled, stratified", { sampling: "random" }],
    ["augment: expected one of none, crop-flip", { augment: "flip" }],
    ["experiment: expected 1 to 128 letters, digits or . _ : + @ -", { experiment: "../x" }],
  ])("is refused with “%s”", (message, change) => {
    const refused = expect.objectContaining({ code: "invalid-request", message });
    expect(() => recipeOf({ ...least, ...change } as RecipeInput)).toThrow(refused);
  });
});

describe("a grid of recipes", () => {
  it("has every loss, seed and normalisation once, the first seeds first", () => {
    const grid = gridOf({ dataset: "digits" }, { losses: ["ce", "nc"], seeds: [1, 2], l2Norms: [false, true] });
    expect(grid.map(({ run }) => run)).toEqual([
      ...["digits-ce-seed1", "digits-ce+l2-seed1", "digits-nc-seed1", "digits-nc+l2-seed1"],
      ...["digits-ce-seed2", "digits-ce+l2-seed2", "digits-nc-seed2", "digits-nc+l2-seed2"],
    ]);
  });
});
