import { existsSync } from "node:fs";
import { mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFeatureFile } from "../../src/evaluation/features/file.ts";
import { createFeatureFile, openFeatureStore } from "../../src/evaluation/features/sink.ts";
import type { FeatureSet } from "../../src/metrics/rows.ts";
import { openFile } from "../../src/storage/byteSource.ts";

const classifier = {
  weight: Float32Array.from({ length: 12 }, (_, k) => k),
  bias: Float64Array.of(1, 2, 3),
  classes: 3,
  dimensions: 4,
};
const shape = { count: 5, labels: Int32Array.of(0, 1, 2, 1, 0), classifier };
const features = Float32Array.from({ length: 20 }, (_, k) => Math.sqrt(k));
const logits = Float32Array.from({ length: 15 }, (_, k) => -k);
const rowsFrom = (start: number, end: number) => ({
  features: features.subarray(start * 4, end * 4),
  logits: logits.subarray(start * 3, end * 3),
});

let folder: string;
const before = process.env.TMPDIR;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-test-"));
  process.env.TMPDIR = folder;
});
afterAll(async () => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(folder, { recursive: true });
});

async function expectAll(set: FeatureSet): Promise<void> {
  expect(set).toMatchObject({ count: 5, labels: shape.labels });
  expect(await set.features.read(0, 5)).toEqual(features);
  expect(await set.features.read(2, 4)).toEqual(features.subarray(8, 16));
  expect(await set.logits.read(1, 5)).toEqual(logits.subarray(3));
}

describe("a store of features", () => {
  it.each([
    ["in memory", 1000, 0],
    ["on disk above the budget, and leaves nothing there", 10, 1],
  ])("gives back what was written in any order of batches, %s", async (_, budget, files) => {
    const store = await openFeatureStore(shape, budget);
    await store.write(3, rowsFrom(3, 5));
    await store.write(0, rowsFrom(0, 3));
    expect((await readdir(folder)).length).toBe(files);
    await expectAll(await store.read());
    await store.close();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a features file", () => {
  it("is read as it was written, with its classifier and metadata", async () => {
    const path = join(folder, "f.safetensors");
    const file = await createFeatureFile(path, shape, { dataset: "digits" });
    await file.write(0, rowsFrom(0, 5));
    await file.close();
    const opened = await openFeatureFile(await openFile(path));
    expect(opened.metadata).toEqual({ dataset: "digits" });
    expect(await opened.classifier()).toEqual(classifier);
    await expectAll((await opened.set(classifier))!);
    expect(await opened.set(classifier, "test_")).toBeNull();
    await opened.close();
    await rm(path);
  });

  it.runIf(existsSync("/dev/full"))("on a disk that is full is an error, and is not left open", async () => {
    await expect(createFeatureFile("/dev/full", shape)).rejects.toMatchObject({ code: "ENOSPC" });
    const open = await Promise.all(
      (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(String)),
    );
    expect(open).not.toContain("/dev/full");
  });

  it("that is none is refused", async () => {
    const path = join(folder, "none");
    await writeFile(path, "not safetensors, but long enough to have a header");
    await expect(openFile(path).then(openFeatureFile)).rejects.toMatchObject({ code: "malformed-checkpoint" });
    await rm(path);
  });
});
