import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULTS, readPreset } from "../../src/training/preset.ts";
import { recipeOf } from "../../src/training/recipe.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-preset-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(text: string): Promise<string> {
  const path = join(folder, "mine.json");
  await writeFile(path, text);
  return path;
}

describe("a preset", () => {
  it("ddu is what DDU's train.py has, and the default", () => {
    expect(readPreset("ddu")).toEqual({
      ...{ arch: "resnet18", width: 64, loss: "ce", labelSmoothing: 0, ncWeight: 1, l2Norm: false },
      ...{ epochs: 350, batchSize: 128, learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4 },
      ...{ schedule: "step", milestones: [150, 250], warmupEpochs: 0, sampling: "shuffled" },
    });
    const least = { loss: "ce", seed: 1 } as const;
    expect(recipeOf({ dataset: "cifar10", ...least })).toMatchObject({ ...DEFAULTS, augment: "crop-flip" });
    expect(recipeOf({ dataset: "digits", ...least })).toMatchObject({ ...DEFAULTS, augment: "none" });
  });

  it("may be a file that says only what differs", async () => {
    const path = await written('{ "description": "short", "epochs": 2, "schedule": "cosine", "augment": "none" }');
    expect(readPreset(path)).toEqual({ epochs: 2, schedule: "cosine", augment: "none" });
  });

  it.each([
    ['{ "epochs": 0 }', /^preset: .*mine\.json: epochs: expected a whole number from 1$/],
    ['{ "milestones": [1, "2"] }', /mine\.json: milestones: 1: expected a whole number from 1$/],
    ['{ "epoch": 3 }', /mine\.json: .*"epoch"/],
    ['{ "seed": 3 }', /mine\.json: .*"seed"/],
    ["{", /^preset: expected the name of a preset or a JSON file, got .*mine\.json/],
  ])("%s is refused by its name", async (text, message) => {
    const path = await written(text);
    const refused = { code: "invalid-request", message: expect.stringMatching(message) };
    expect(() => readPreset(path)).toThrow(expect.objectContaining(refused));
  });

  it("that is not there is refused", () => {
    expect(() => readPreset("paper")).toThrow(/got .*paper\.json/);
  });
});
