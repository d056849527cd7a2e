import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DatasetSources } from "../../src/datasets/open.ts";
import { type EvaluationContext, evaluate, type Progress } from "../../src/evaluation/evaluate.ts";
import type { EvaluationRequest } from "../../src/evaluation/request.ts";
import { openStorage } from "../../src/storage/open.ts";
import { s3Storage } from "../../src/storage/s3.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { imagesDone } from "../../src/telemetry/events.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { clientOf, startS3 } from "../servers/s3.ts";

let folder: string;
let images = 0;
const unheard = imagesDone.hear((done) => {
  images += done.images;
});
afterAll(unheard);

beforeEach(async () => {
  folder = await emptyFolder();
  await writeFile(join(folder, "a.safetensors"), checkpointBytes());
});
afterEach(() => rm(folder, { recursive: true }));

const sourcesOf = (bytes: number): DatasetSources => ({
  storage: openStorage({ fileRoots: null }),
  data: [],
  cache: { folder: join(folder, "cache"), bytes },
});

/** The numbers of an evaluation, and how many images went through the network for them. */
async function measured(
  asked: Partial<EvaluationRequest> = {},
  sources = sourcesOf(1e8),
  context: Omit<EvaluationContext, "sources"> = {},
) {
  images = 0;
  const checkpoint = fileUrl(folder, "a.safetensors");
  const { values, omitted, details } = await evaluate({ checkpoint, ...asked }, { sources, ...context });
  return { numbers: { values, omitted, details }, images };
}

const OOD = ["fashion-sample"];

describe("features in the cache", () => {
  it("are measured anew without the network, to the last bit, and only those of a new set are taken", async () => {
    const alone = await measured({ ood: OOD }, sourcesOf(0));
    expect(alone.images).toBeGreaterThan(2000);
    expect((await measured()).images).toBe(2000);
    expect((await measured()).images).toBe(0);
    const progress: Progress[] = [];
    const more = await measured({ ood: OOD }, sourcesOf(1e8), { onProgress: (at) => void progress.push(at) });
    expect(more.images).toBe(alone.images - 2000);
    expect(more.numbers).toEqual(alone.numbers);
    expect(progress).toContainEqual({ stage: "train", done: 2000, total: 2000 });
    const again = await measured({ ood: OOD, jitter: 1e-6 });
    expect(again.images).toBe(0);
    expect(again.numbers).toEqual((await measured({ ood: OOD, jitter: 1e-6 }, sourcesOf(0))).numbers);
  });

  it("are the same where they were on disk, above the budget", async () => {
    const context = { featureBudget: 10_000 };
    const first = await measured({}, sourcesOf(1e8), context);
    const second = await measured({}, sourcesOf(1e8), context);
    expect([first.images, second.images]).toEqual([2000, 0]);
    expect(second.numbers).toEqual(first.numbers);
    expect(first.numbers).toEqual((await measured({}, sourcesOf(0))).numbers);
  });

  it("serve a set whatever it is for, with the labels it has there", async () => {
    const asked = { dataset: "digits:test", test: "digits:test", ood: ["digits:test"] };
    const { numbers, images } = await measured(asked);
    expect(images).toBe(2000);
    expect(numbers).toEqual((await measured(asked, sourcesOf(0))).numbers);
    expect(numbers.values.accuracy).toEqual(expect.any(Number));
  });

  it.each([
    ["another checkpoint", () => ({ checkpoint: fileUrl(folder, "other.safetensors") })],
    ["another normalisation", () => ({ network: { mean: "0.2", std: "0.3" } })],
    ["another engine", () => ({ engine: "wasm" as const })],
    ["a request that wants all anew", () => ({ force: true })],
  ])("are not those of %s", async (_, asked) => {
    await writeFile(join(folder, "other.safetensors"), checkpointBytes({ seed: 9 }));
    await measured();
    expect((await measured(asked())).images).toBe(2000);
  });

  it("that were damaged are taken again, and give the same numbers", async () => {
    const first = await measured();
    for (const name of await readdir(join(folder, "cache"))) {
      const path = join(folder, "cache", name);
      const bytes = await readFile(path);
      if (bytes.length > 64) await writeFile(path, bytes.fill(7, bytes.length - 100));
    }
    expect(await measured()).toEqual(first);
    for (const name of await readdir(join(folder, "cache"))) await truncate(join(folder, "cache", name), 0);
    expect(await measured()).toEqual(first);
    expect((await measured()).images).toBe(0);
  });

  it("are not kept where they are more than the limit, or where nothing can be written", async () => {
    await measured({}, sourcesOf(100_000)); // 2,000 images of 16 features and 10 logits: 208,000 bytes
    expect(await readdir(folder)).toEqual(["a.safetensors"]);
    await writeFile(join(folder, "cache"), "a file where the folder should be");
    expect((await measured()).images).toBe(2000);
  });

  it("are not kept of an evaluation that is broken off, which ends as it would without", async () => {
    const stop = new AbortController();
    const onProgress = ({ stage, done, total }: Progress) => {
      if (stage === "train" && done === total) stop.abort(new Error("no longer wanted"));
    };
    const broken = measured({}, sourcesOf(1e8), { signal: stop.signal, onProgress });
    await expect(broken).rejects.toThrow("no longer wanted");
    expect(await readdir(join(folder, "cache"))).toEqual([]);
  });
});

const server = await startS3();
if (server) {
  afterAll(() => server.stop());
  it("a checkpoint and its sets are transferred from S3 once, whatever is asked of them", async () => {
    const storage = s3Storage(clientOf(server.env));
    const transfers: string[] = [];
    const counted: Storage = {
      ...storage,
      read(url, call) {
        transfers.push(url);
        return storage.read(url, call);
      },
    };
    const checkpoint = `s3://${server.bucket}/a.safetensors`;
    await storage.write(checkpoint, checkpointBytes({ metadata: { dataset: null } }));
    const sources = { ...sourcesOf(1e8), storage: counted };
    const first = await measured({ checkpoint, dataset: "digits:test" }, sources);
    const second = await measured({ checkpoint, dataset: "digits:test", ood: OOD }, sources);
    expect(transfers).toEqual([checkpoint]);
    expect(second.numbers.values).toMatchObject(first.numbers.values);
  });
}
