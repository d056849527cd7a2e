import { copyFile, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GROUPS, type StudyPlan } from "../../scripts/study/plan.ts";
import { recordsOf } from "../../scripts/study/records.ts";
import { runStudy } from "../../scripts/study/run.ts";
import { type Config, readConfig } from "../../src/config.ts";

const SAMPLE = fileURLToPath(new URL("../../data/fashion-sample", import.meta.url));
const FILES = ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"];

const PLAN: StudyPlan = {
  seeds: [1, 2],
  perClass: { measured: 4, validation: 2, test: 3 },
  preset: { width: 2, epochs: 1, batchSize: 20, imagesPerEpoch: 40, sampling: "stratified" },
  evaluated: [1],
  learningRates: { ce: 0.1, nc: 0.1 },
  full: null,
  engine: "wasm",
};

let config: Config;

beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), "study-"));
  const folder = join(home, "data/fashion-mnist");
  await mkdir(folder, { recursive: true });
  for (const file of FILES)
    for (const part of ["train", "t10k"]) await copyFile(join(SAMPLE, `t10k-${file}`), join(folder, `${part}-${file}`));
  config = readConfig({ COLLAPSAR_HOME: home }, home);
});

afterAll(() => rm(config.home, { recursive: true, force: true }));

describe("the study", () => {
  it("goes on where it was stopped, and trains and evaluates only what is missing", async () => {
    const stop = new AbortController();
    const stopBeforeEvaluating = (line: string) => line.startsWith("Evaluating") && stop.abort();
    const stopped = runStudy({ ...PLAN, seeds: [1] }, config, {
      ...{ say: stopBeforeEvaluating, signal: stop.signal, quiet: true },
    });
    await expect(stopped).rejects.toMatchObject({ code: "cancelled" });
    const before = await checkpointTimes();
    expect(before.size).toBe(GROUPS.length);

    const whole = await runStudy(PLAN, config, listener());
    const after = await checkpointTimes();
    expect(after.size).toBe(2 * GROUPS.length);
    expect([...after].filter(([file]) => before.has(file))).toEqual([...before]);
    const records = recordsOf(whole.aggregate);
    const runs = new Set(records.map(({ group, seed, epoch }) => `${group} ${seed} ${epoch}`));
    expect([...runs]).toEqual(GROUPS.flatMap((group) => PLAN.seeds.map((seed) => `${group} ${seed} 1`)));

    const again = await runStudy(PLAN, config, listener());
    expect(again.evaluated).toBe(0);
    expect(await checkpointTimes()).toEqual(after);
    expect(recordsOf(again.aggregate)).toEqual(records);
    expect(again.seconds).toEqual(whole.seconds);
  });
});

const listener = () => ({ say: () => {}, signal: new AbortController().signal, quiet: true });

/** Returns when each checkpoint was written. */
async function checkpointTimes(): Promise<Map<string, number>> {
  const store = join(config.home, "store");
  const files = (await readdir(store, { recursive: true })).filter((file) => /epoch-\d+\.safetensors$/.test(file));
  const times = files.sort().map(async (file) => [file, (await stat(join(store, file))).mtimeMs] as const);
  return new Map(await Promise.all(times));
}
