import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import type { EvaluationRequest } from "../../../src/evaluation/request.ts";
import { partStoreIn } from "../../../src/evaluation/shards/parts.ts";
import type { OperationCall } from "../../../src/jobs/evaluator.ts";
import { type Evaluation, evaluatorHere } from "../../../src/jobs/operations.ts";
import { type ChildEvaluator, evaluatorInChildren } from "../../../src/jobs/process/children.ts";
import { openStorage } from "../../../src/storage/open.ts";
import { imagesDone, stageEnded } from "../../../src/telemetry/events.ts";
import { checkpointBytes, emptyFolder, fileUrl, noiseBytes } from "../../api/samples.ts";
import { childrenOf } from "./childrenOf.ts";

let folder: string;
let small: EvaluationRequest;
/** Seconds of short batches, however fast or busy the machine is: what is aborted is to stop after one of them. */
let large: EvaluationRequest;
let evaluator: ChildEvaluator;

const settings = () => ({
  store: fileUrl(folder, "store"),
  data: [],
  fileRoots: [folder],
  cache: { folder: "/nowhere", bytes: 0 },
  allowed: null,
});
const forEver = () => ({ signal: new AbortController().signal });

beforeAll(async () => {
  folder = await emptyFolder();
  const put = async (name: string, bytes: Uint8Array | string) => {
    await writeFile(join(folder, name), bytes);
    return fileUrl(folder, name);
  };
  const test = "digits:validation";
  small = { checkpoint: await put("small.safetensors", checkpointBytes()), dataset: "digits:test", test };
  const bytes = checkpointBytes({ spec: { width: 16 } });
  const dataset = await put("images.safetensors", noiseBytes(60_000));
  large = { checkpoint: await put("large.safetensors", bytes), dataset };
  await put("bad.safetensors", "not a checkpoint at all");
});
afterEach(() => evaluator?.close());
afterAll(() => rm(folder, { recursive: true }));

const environmentOf = (pid: number) => {
  const pairs = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s) as [string, string]));
};

/** Starts an operation that does not end by itself, and returns it once its process is at work. */
async function atWork(signal: AbortSignal) {
  evaluator = evaluatorInChildren(settings());
  const begun = Promise.withResolvers<void>();
  // until then it loads libraries, which takes a busy machine longer than it has patience
  const onProgress = ({ stage }: { stage: string }) => stage === "train" && begun.resolve();
  const running = evaluator.run("evaluate", large, { signal, onProgress });
  running.catch(() => {});
  await begun.promise;
  const [child] = childrenOf();
  return { running, child: child! };
}

it("a child comes to the same as this thread, and all that is told on the way arrives", {
  timeout: 120_000,
}, async () => {
  evaluator = evaluatorInChildren(settings());
  const sources = {
    sources: { storage: openStorage({ fileRoots: null }), data: [] },
    parts: partStoreIn(settings().store),
  };
  const heard = async (run: (call: OperationCall) => Promise<Evaluation>) => {
    const stages: string[] = [];
    let images = 0;
    const questions: string[][] = [];
    const unhear = [
      stageEnded.hear(({ stage }) => stages.push(stage)),
      imagesDone.hear((done) => {
        images += done.images;
      }),
    ];
    const findRecorded = async (...asked: string[]) => {
      questions.push(asked);
      return null;
    };
    const result = await run({ ...forEver(), findRecorded });
    for (const stop of unhear) stop();
    if (result.is !== "measured") throw new Error(result.is);
    const { seconds, ...evaluated } = result.evaluated;
    return { stages, images, questions, evaluated, timed: Object.keys(seconds) };
  };
  const there = await heard((call) => evaluator.run("evaluate", small, call));
  const here = await heard((call) => evaluatorHere(sources).run("evaluate", small, call));
  expect(there).toEqual(here);
  expect(there).toMatchObject({ stages: ["download", "open", "features", "metrics"], images: 2000 + 797 });
  expect(there.questions).toEqual([[there.evaluated.checkpoint.sha256, there.evaluated.protocol]]);

  const known = { ...forEver(), findRecorded: async () => "another" };
  expect(await evaluator.run("evaluate", small, known)).toMatchObject({ is: "recorded", copyOf: "another" });
  expect(childrenOf()).toHaveLength(1);
});

it("errors keep code, message and whether to try again, also those of what is asked here", async () => {
  evaluator = evaluatorInChildren(settings());
  const run = (checkpoint: string, more: Partial<OperationCall> = {}) =>
    evaluator.run("evaluate", { ...small, checkpoint }, { ...forEver(), ...more });
  const malformed = { code: "malformed-checkpoint", retryable: false, message: expect.stringContaining("safetensors") };
  await expect(run(fileUrl(folder, "bad.safetensors"))).rejects.toMatchObject(malformed);
  await expect(run("file:///etc/passwd")).rejects.toMatchObject({ code: "forbidden-url" });
  const away = new Error("the database is away");
  await expect(run(small.checkpoint, { findRecorded: () => Promise.reject(away) })).rejects.toBe(away);
  expect(await run(small.checkpoint)).toMatchObject({ is: "measured" });
});

it("a child that is killed fails its operation as one to be tried again, leaves no files, and the next has another", async () => {
  const { running, child } = await atWork(new AbortController().signal);
  const { TMPDIR } = environmentOf(child);
  expect(existsSync(TMPDIR!)).toBe(true);
  process.kill(child, "SIGKILL");
  await expect(running).rejects.toMatchObject({ code: "process-died", retryable: true, message: /SIGKILL/ });
  expect(existsSync(TMPDIR!)).toBe(false);
  expect(await evaluator.run("evaluate", small, forEver())).toMatchObject({ is: "measured" });
});

it("what is aborted stops and its child goes on; one that does not heed is killed within 2 s", async () => {
  const aborting = new AbortController();
  const { running, child } = await atWork(aborting.signal);
  aborting.abort(new Error("not wanted"));
  await expect(running).rejects.toThrow("not wanted");
  expect(childrenOf()).toEqual([child]);

  const again = new AbortController();
  const second = evaluator.run("evaluate", large, again);
  process.kill(child, "SIGSTOP");
  const begun = performance.now();
  again.abort(new Error("not wanted either"));
  await expect(second).rejects.toThrow("not wanted either"); // a stopped process does not end by itself
  expect(performance.now() - begun).toBeLessThan(2000);
  expect(childrenOf()).toEqual([]);
});

it("as many children as there are operations at a time are kept, and let go when they have been idle", async () => {
  evaluator = evaluatorInChildren(settings(), 300);
  const both = [1, 2].map(() => evaluator.run("evaluate", small, forEver()));
  expect(childrenOf()).toHaveLength(2);
  await Promise.all(both);
  await evaluator.run("evaluate", small, forEver());
  await vi.waitFor(() => expect(childrenOf()).toEqual([]), 10_000);
});

it("a child knows neither database nor tokens, and dies with its parent", async () => {
  const program = fileURLToPath(new URL("parent.ts", import.meta.url));
  const secrets = {
    DATABASE_URL: "postgres://secret",
    COLLAPSAR_TOKEN: "secret",
    OTEL_EXPORTER_OTLP_HEADERS: "secret",
  };
  const env = { ...process.env, ...secrets, AWS_REGION: "here" };
  const parent = spawn(process.execPath, [program], { env, stdio: ["ignore", "pipe", "inherit"] });
  await once(createInterface({ input: parent.stdout }), "line");
  const [child] = childrenOf(parent.pid);
  const { TMPDIR, ...environment } = environmentOf(child!);
  expect(environment).toMatchObject({ AWS_REGION: "here" });
  expect(JSON.stringify(environment)).not.toContain("secret");
  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(existsSync(`/proc/${child}/exe`)).toBe(false), 10_000);
  expect(existsSync(TMPDIR!)).toBe(false);
});
