import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { trainBatch } from "../../src/training/batch.ts";
import type { BatchEvent } from "../../src/training/event.ts";
import { type RecipeInput, recipeOf } from "../../src/training/recipe.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-batch-"));
});
afterAll(() => rm(folder, { recursive: true }));

function recipe(change: Partial<RecipeInput>) {
  const small = {
    dataset: "digits",
    loss: "ce",
    seed: 1,
    width: 2,
    epochs: 2,
    batchSize: 32,
    imagesPerEpoch: 64,
  } as const;
  return recipeOf({ ...small, ...change });
}

describe("a batch", () => {
  it("trains all runs in processes of their own, and one that fails does not stop the others", async () => {
    const events: BatchEvent[] = [];
    const recipes = [recipe({ seed: 1, learningRate: 1e30 }), recipe({ seed: 2 })];
    const to = pathToFileURL(join(folder, "two")).href;
    const summaries = await trainBatch(recipes, { to, concurrency: 2, onProgress: (event) => events.push(event) });
    expect(summaries).toEqual([
      {
        ...{ run: "digits-ce-seed1", status: "failed", epochs: 0, checkpoints: [] },
        error: { code: "non-finite-weight", message: expect.stringMatching(/diverged: after epoch 1/) },
      },
      {
        ...{ run: "digits-ce-seed2", status: "succeeded", epochs: 2, error: null },
        checkpoints: [1, 2].map((epoch) => `${to}/digits/digits-ce-seed2/epoch-000${epoch}.safetensors`),
      },
    ]);
    expect(events.filter(({ phase, run }) => phase === "training" && run === "digits-ce-seed2")).toHaveLength(4);
    expect(events.filter(({ phase }) => phase === "ended")).toHaveLength(2);
  });

  it("stops its runs when asked to, and begins none that waits", async () => {
    const controller = new AbortController();
    const to = pathToFileURL(join(folder, "stopped")).href;
    const onProgress = ({ phase }: BatchEvent) => {
      if (phase === "pushed") controller.abort();
    };
    const recipes = [1, 2].map((seed) => recipe({ seed, epochs: 1000 }));
    const summaries = await trainBatch(recipes, { to, concurrency: 1, signal: controller.signal, onProgress });
    expect(summaries).toMatchObject([
      { status: "cancelled", epochs: 1, error: null },
      { status: "cancelled", epochs: 0, checkpoints: [], error: null },
    ]);
    expect(await readdir(join(folder, "stopped", "digits"))).toEqual(["digits-ce-seed1"]);
  });

  it("begins with one run, and with others beside it once that has taken a step", async () => {
    const events: BatchEvent[] = [];
    const to = pathToFileURL(join(folder, "fitting")).href;
    const recipes = [1, 2, 3].map((seed) => recipe({ seed, epochs: 4 }));
    const summaries = await trainBatch(recipes, { to, onProgress: (event) => events.push(event) });
    expect(summaries.map(({ status }) => status)).toEqual(["succeeded", "succeeded", "succeeded"]);
    const second = events.findIndex(({ run }) => run === "digits-ce-seed2");
    expect(events.slice(0, second).map(({ phase }) => phase)).toContain("training");
    expect(events[second]).not.toHaveProperty("memory");
  });

  it("refuses two runs of the same name", async () => {
    const twins = trainBatch([recipe({}), recipe({ width: 4 })], { to: pathToFileURL(folder).href });
    await expect(twins).rejects.toMatchObject({
      code: "invalid-request",
      message: "two runs of the batch have the same id, digits-ce-seed1",
    });
  });
});
