import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { openStorage } from "../../src/storage/open.ts";
import type { RunProgress } from "../../src/training/event.ts";
import { type RecipeInput, recipeOf } from "../../src/training/recipe.ts";
import { trainRun } from "../../src/training/run.ts";
import { ENGINES } from "./step/fixture.ts";

const base: RecipeInput = {
  ...{ dataset: "digits", loss: "nc", seed: 1, width: 4, epochs: 2, batchSize: 32, imagesPerEpoch: 100 },
};
let small = base;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-run-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Trains into `to` until an event for which `until` is true, and returns all events up to there. */
async function train(to: string, change: Partial<RecipeInput> = {}, until = (_: RunProgress) => false) {
  const sources = { data: [], storage: openStorage({ fileRoots: null }) };
  const url = pathToFileURL(join(folder, to)).href;
  const events: RunProgress[] = [];
  for await (const event of trainRun(recipeOf({ ...small, ...change }), url, sources)) {
    events.push(event);
    if (until(event)) break;
  }
  return events;
}

/** File names and bytes (base64) of everything a run has stored. */
async function stored(to: string): Promise<Record<string, string>> {
  const run = join(folder, to, "digits", "digits-nc-seed1");
  const names = (await readdir(run)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await readFile(join(run, name))).toString("base64")])),
  );
}

describe.each(ENGINES)("a run on %s", (engine) => {
  let events: RunProgress[];
  beforeAll(async () => {
    await rm(folder, { recursive: true });
    small = { ...base, engine };
    events = await train("whole");
  });

  it("tells its progress after every batch, and every checkpoint", () => {
    expect(events.map(({ phase, epoch, image }) => [phase, epoch, image])).toEqual([
      ["started", 0, 0],
      ...[1, 2].flatMap((epoch) => [...[32, 64, 96].map((image) => ["training", epoch, image]), ["pushed", epoch, 96]]),
    ]);
    expect(events.at(-1)!.loss).toBeGreaterThan(0);
    expect(events.at(-1)!.imagesPerSecond).toBeGreaterThan(0);
  });

  it("stores a checkpoint of every epoch, and the velocity of the last two", async () => {
    expect(Object.keys(await stored("whole"))).toEqual([
      "epoch-0001.optimizer.safetensors",
      "epoch-0001.safetensors",
      "epoch-0002.optimizer.safetensors",
      "epoch-0002.safetensors",
    ]);
  });

  it("stores a network that can be read back, with all that is known of it", async () => {
    const checkpoint = readSafetensors(await readFile(fileURLToPath(events.at(-1)!.checkpoints[0]!)));
    expect(networkOf(checkpoint).spec).toEqual({
      ...{ arch: "resnet18", stem: "mnist", mod: false, sn: false, coeff: 3, channels: 1, width: 4, classes: 10 },
      ...{ l2Norm: false, mean: [0.1307], std: [0.3081] },
    });
    expect(checkpoint.metadata).toMatchObject({
      ...{ experiment: "digits", group: "nc", run: "digits-nc-seed1", seed: "1", epoch: "2" },
      ...{ dataset: "digits", loss: "nc", validation: "tenth", training_loss: String(events.at(-1)!.loss) },
      training_accuracy: String(events.at(-1)!.accuracy),
      producer: expect.stringMatching(/^collapsar \d/),
    });
    expect(JSON.parse(checkpoint.metadata.recipe!)).toMatchObject({
      batchSize: 32,
      learningRate: 0.1,
      variant: "mnist",
    });
  });

  it("stores a network under spectral normalisation, all of it", async () => {
    const pushed = (await train("spectral", { variant: "mnist+mod+sn", epochs: 1 })).at(-1);
    const checkpoint = readSafetensors(await readFile(fileURLToPath(pushed!.checkpoints[0]!)));
    expect(networkOf(checkpoint).spec).toMatchObject({ stem: "mnist", mod: true, sn: true, coeff: 3 });
    expect(checkpoint.tensors.get("layer2.0.conv1.weight_u")!.shape).toEqual([8 * 14 * 14]);
    expect(checkpoint.tensors.get("layer2.0.conv1.weight_sigma")!.data[0]).toBeGreaterThan(0);
  });

  it("stores the same bytes again from the same seed, and others from another", async () => {
    await train("again");
    expect(await stored("again")).toEqual(await stored("whole"));
    await train("another", { seed: 2, run: "digits-nc-seed1" });
    expect(await stored("another")).not.toEqual(await stored("whole"));
  });

  it.each<[string, (event: RunProgress) => boolean]>([
    ["after its first epoch", ({ phase }) => phase === "pushed"],
    ["in the middle of its second", ({ epoch, image }) => epoch === 2 && image === 64],
    ["before its first epoch was stored", ({ image }) => image === 96],
  ])("stopped %s goes on to the same bytes", async (when, until) => {
    const to = `stopped ${when}`;
    await train(to, {}, until);
    const before = await stored(to).catch(() => ({}));
    expect(before).not.toHaveProperty("epoch-0002.safetensors");
    const [started] = await train(to);
    expect(started!.epoch).toBe("epoch-0001.safetensors" in before ? 1 : 0);
    expect(await stored(to)).toEqual(await stored("whole"));
  });

  it("that is complete trains nothing", async () => {
    const again = await train("whole");
    expect(again.map(({ phase, epoch }) => [phase, epoch])).toEqual([["started", 2]]);
    expect(again[0]!.checkpoints).toEqual(events.flatMap(({ checkpoints }) => checkpoints));
  });

  it("can be made longer", async () => {
    await train("longer", { epochs: 1 });
    await train("longer");
    expect(await stored("longer")).toEqual(await stored("whole"));
  });

  it("keeps the velocity of two epochs, for one that is killed may still store the last", async () => {
    await train("three", { epochs: 3 });
    expect(Object.keys(await stored("three")).filter((name) => name.includes("optimizer"))).toEqual([
      "epoch-0002.optimizer.safetensors",
      "epoch-0003.optimizer.safetensors",
    ]);
  });

  it("minimises cross-entropy and the weighted NC loss together, with smoothed labels where asked", async () => {
    const firstLoss = async (to: string, change: Partial<RecipeInput>) =>
      (await train(to, change, ({ image }) => image === 32)).at(-1)!.loss!;
    const [ce, nc] = [await firstLoss("ce", { loss: "ce" }), await firstLoss("nc", { loss: "nc" })];
    expect(await firstLoss("both", { loss: "ce+nc", ncWeight: 0.5 })).toBeCloseTo(ce + 0.5 * nc, 5);
    const smoothed = await firstLoss("smoothed", { loss: "ce", labelSmoothing: 0.9999999 });
    // a target spread over all classes: at least log 10
    expect(smoothed).toBeGreaterThan(Math.log(10));
    expect(smoothed).not.toBe(ce);
  });

  it("with the schedule cosine cannot be made longer, for every rate would be another", async () => {
    await train("cosine", { schedule: "cosine" });
    await expect(train("cosine", { schedule: "cosine", epochs: 3 })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/\(epochs was 2 and is 3\)/),
    });
  });

  it("with crops, flips and stratified batches goes on to the same bytes, and others than without", async () => {
    const change = { augment: "crop-flip", sampling: "stratified" } as const;
    await train("augmented", change);
    await train("augmented again", change, ({ phase, epoch }) => phase === "pushed" && epoch === 1);
    await train("augmented again", change);
    expect(await stored("augmented again")).toEqual(await stored("augmented"));
    const differs = async (name: string) => (await stored("augmented"))[name] !== (await stored("whole"))[name];
    expect(await differs("epoch-0002.safetensors")).toBe(true);
  });

  it("that diverges leaves a record, and begun again ends at once until that is removed", async () => {
    const change = { loss: "ce", group: "nc", learningRate: 1e30 } as const;
    const first = await train("diverged", change).catch((error) => error);
    expect(first).toMatchObject({
      code: "non-finite-loss",
      message: expect.stringMatching(/^the loss of step [23] is /),
    });
    const path = join(folder, "diverged", "digits", "digits-nc-seed1", "failure.json");
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({
      ...{ run: "digits-nc-seed1", epoch: 1, code: first.code, message: first.message, seed: "1" },
      recipe: expect.stringContaining('"learningRate":1e+30'),
    });
    const again: RunProgress[] = [];
    const known = train("diverged", change, (event) => {
      again.push(event);
      return false;
    });
    await expect(known).rejects.toMatchObject({
      code: "non-finite-loss",
      message: expect.stringMatching(
        /^the loss of step [23] is .* \(epoch 1, recorded in file:.*failure\.json: remove it to try again\)$/,
      ),
    });
    expect(again.map(({ phase }) => phase)).toEqual(["started"]);
    await train("diverged", { loss: "ce", group: "nc" });
    expect(Object.keys(await stored("diverged"))).toContain("epoch-0002.safetensors");
  });

  it("refuses to go on with another recipe, and names what differs", async () => {
    await expect(train("whole", { epochs: 3, batchSize: 50, weightDecay: 0 })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /^run digits-nc-seed1 was begun with another recipe \(batchSize was 32 and is 50; weightDecay was 0.0005 and is 0\)/,
      ),
    });
  });
});

describe("a run on a file of images", () => {
  const geometry = { width: 32, channels: 3, count: 64 };
  async function write(name: string, { width, channels, count }: typeof geometry): Promise<string> {
    const shape = [count, width, width, channels];
    const pixels = Uint8Array.from({ length: count * width * width * channels }, (_, i) => (i * i * 31) % 251);
    const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
    const images = { dtype: "U8", shape, data: pixels } as const;
    const file = { dtype: "I32", shape: [count], data: labels } as const;
    const path = join(folder, name);
    await writeFile(
      path,
      writeSafetensors([
        ["images", images],
        ["labels", file],
      ]),
    );
    return pathToFileURL(path).href;
  }

  it("takes variant, classes and normalisation from it, and all of its images", async () => {
    const dataset = await write("noise.safetensors", geometry);
    const events = await train("file", { dataset, loss: "ce", epochs: 1, imagesPerEpoch: undefined });
    expect(events.at(-1)).toMatchObject({ run: "noise-ce-seed1", images: 64 });
    const { metadata } = readSafetensors(await readFile(fileURLToPath(events.at(-1)!.checkpoints[0]!)));
    expect(metadata).toMatchObject({ variant: "cifar", classes: "3", dataset });
    expect(metadata).not.toHaveProperty("validation");
    const [mean, std] = [metadata.mean, metadata.std].map((text) => text!.split(",").map(Number));
    for (const value of mean!) expect(value).toBeCloseTo(0.5, 1);
    for (const value of std!) expect(value).toBeCloseTo(0.29, 1);
  });

  it("refuses images that no variant takes, and a batch larger than the set", async () => {
    const tall = await write("tall.safetensors", { ...geometry, width: 30 });
    await expect(train("file", { dataset: tall })).rejects.toMatchObject({
      code: "wrong-shape",
      message: "images of tall are 3×30×30, which no variant takes",
    });
    const few = await write("few.safetensors", { ...geometry, count: 20 });
    await expect(train("file", { dataset: few })).rejects.toMatchObject({
      code: "invalid-request",
      message: "batch-size: 32 is more than the 20 images of few to train on",
    });
  });
});
