import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import type { EvaluationResource, RunMetrics } from "../../src/api/contract.ts";
import { serve } from "../../src/api/serve.ts";
import { type Connection, serviceAt, submit } from "../../src/commands/connection.ts";
import { readConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/database/open.ts";
import { evaluationShards } from "../../src/database/schema.ts";
import { openStorage } from "../../src/storage/open.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { startS3 } from "../servers/s3.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const IMAGES = 8000 + 2000;

const [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
Object.assign(process.env, s3?.env); // the service runs in this process, and the SDK reads its environment
afterAll(() => Promise.all([postgres?.stop(), s3?.stop()]));

let folder: string;
let env: NodeJS.ProcessEnv;
let checkpoint: string;
let started: ChildProcess[];

beforeEach(async () => {
  started = [];
  folder = await emptyFolder();
  const { DATABASE_URL: _, ...others } = process.env;
  const store = s3 ? `s3://${s3.bucket}/store` : join(folder, "store");
  env = { ...others, COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, COLLAPSAR_STORE: store };
  const spec = { width: 24 }; // some seconds on the digits
  await writeFile(join(folder, "c.safetensors"), checkpointBytes({ spec, metadata: { dataset: "digits" } }));
  checkpoint = fileUrl(folder, "c.safetensors");
});

afterEach(async () => {
  await Promise.all(started.map(kill));
  await rm(folder, { recursive: true });
});

/** Runs the program in a process of its own, and returns it with the line of its log that says so when it is ready. */
async function start(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  started.push(child);
  for await (const line of createInterface({ input: child.stderr! })) {
    const said = JSON.parse(line);
    if (said.msg === "serving" || said.msg === "working") return { child, url: String(said.url) };
  }
  throw new Error(`collapsar ${args.join(" ")} ended before it was ready`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function expectRecordedOnce(api: Connection, evaluation: EvaluationResource): Promise<void> {
  expect(evaluation).toMatchObject({ status: "succeeded", error: null, sameAs: null });
  const recorded = async () => (await api.request<RunMetrics>("/runs/tiny/metrics")).metrics;
  expect((await recorded()).map((row) => [row.evaluation, row.values])).toEqual([[evaluation.id, evaluation.values]]);

  const uncut = await submit(api, { checkpoint, force: true }, 240);
  expect(uncut).toMatchObject({ status: "succeeded", protocol: evaluation.protocol });
  expect(uncut.id).not.toBe(evaluation.id);
  expect(evaluation.values).toEqual(uncut.values);
  const details = (id: string) => api.request(`/evaluations/${id}/details`);
  expect(await details(evaluation.id)).toEqual(await details(uncut.id));
  expect(await Array.fromAsync(openStorage({ fileRoots: null }).list(`${readConfig(env).store}/shards`))).toEqual([]);
}

/** Without PostgreSQL only what follows this is run. */
it.runIf(postgres)(
  `4 shards over 2 workers on PostgreSQL and ${s3 ? "S3" : "a folder"}, one killed in the middle of a shard: the numbers of the uncut evaluation, recorded once`,
  { timeout: 600_000 },
  async () => {
    env.DATABASE_URL = await freshDatabase(postgres!);
    const config = readConfig({ ...env, PORT: "0" });
    const database = await openDatabase(config, "collapsar test");
    const service = await serve(config, { worker: false });
    try {
      const api = serviceAt(service.url);
      const workers = await Promise.all([start("worker"), start("worker")]);
      const { id } = await submit(api, { checkpoint, shards: 4 });
      await vi.waitFor(
        async () => {
          const shards = await database.orm.select().from(evaluationShards);
          const atWork = shards.filter(({ imagesDone, images }) => imagesDone > 0 && imagesDone < images);
          expect(atWork).toHaveLength(2); // one of each worker
        },
        { timeout: 60_000, interval: 20 },
      );
      await kill(workers[0]!.child);
      const running = await api.request<EvaluationResource>(`/evaluations/${id}`);
      expect(running).toMatchObject({ status: "running", progress: { stage: "shards", total: IMAGES } });

      const ended = await submit(api, { checkpoint }, 240);
      expect(ended).toMatchObject({ id, attempts: 1 });
      await expectRecordedOnce(api, ended);
      const retries = await database.orm
        .select({ task: sql<string>`coalesce(data->>'shard', 'evaluation')`, count: sql<number>`retry_count` })
        .from(sql`pgboss.job`)
        .where(sql`name = 'evaluate' and data->>'evaluation' = ${id}`);
      expect(retries.map(({ task }) => task).sort()).toEqual(["0", "1", "2", "3", "all", "evaluation"]);
      expect(retries.filter(({ count }) => count > 0)).toHaveLength(1);
    } finally {
      await service.stop();
      await database.close();
    }
  },
);

it(`a service on PGlite and ${s3 ? "S3" : "a folder"}, killed in the middle of a shard and started again, comes to the numbers of the uncut evaluation, recorded once`, {
  timeout: 600_000,
}, async () => {
  const first = await start("serve", "--port", "0");
  const before = serviceAt(first.url);
  const { id } = await submit(before, { checkpoint, shards: 4 });
  await vi.waitFor(
    async () => {
      const { progress } = await before.request<EvaluationResource>(`/evaluations/${id}`);
      expect(progress).toMatchObject({ stage: "shards", total: IMAGES });
      expect(progress!.done / IMAGES).toBeGreaterThan(0.3);
      expect(progress!.done / IMAGES).toBeLessThan(0.9);
    },
    { timeout: 60_000, interval: 20 },
  );
  await kill(first.child);

  const second = await start("serve", "--port", "0");
  const after = serviceAt(second.url);
  const ended = await submit(after, { checkpoint }, 240);
  expect(ended).toMatchObject({ id, attempts: 1 });
  await expectRecordedOnce(after, ended);
});
