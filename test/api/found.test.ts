import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EvaluationList, Submissions } from "../../src/api/contract.ts";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import { s3Client, s3Storage } from "../../src/storage/s3.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { startS3 } from "../servers/s3.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "./samples.ts";

const [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
Object.assign(process.env, s3?.env); // the service runs in this process, and the SDK reads its environment
afterAll(async () => {
  await Promise.all([postgres?.stop(), s3?.stop()]);
});

let folder: string;
let services: RunningService[];
beforeEach(async () => {
  folder = await emptyFolder();
  services = [];
});
afterEach(async () => {
  for (const service of services) await service.stop();
  await rm(folder, { recursive: true });
});

async function start(env: Record<string, string>, options?: { worker: boolean }): Promise<RunningService> {
  const own = { COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, PORT: "0" };
  const service = await serve(readConfig({ ...own, ...env }), options);
  services.push(service);
  return service;
}

const bytes = (epoch: number) => checkpointBytes({ seed: epoch, metadata: { run: "swept", epoch: String(epoch) } });
const evaluationsOf = async ({ url }: RunningService) =>
  ((await (await fetch(`${url}/evaluations`)).json()) as EvaluationList).items;
const urlsOf = async (service: RunningService) =>
  (await evaluationsOf(service)).map(({ checkpoint }) => checkpoint.url).toSorted();
const until = (expectation: () => unknown) => vi.waitFor(expectation, { timeout: 30_000, interval: 100 });

describe("COLLAPSAR_SWEEP", () => {
  const swept = () => ({
    COLLAPSAR_SWEEP: join(folder, "store"),
    COLLAPSAR_SWEEP_SECONDS: "1",
    COLLAPSAR_STORE: join(folder, "store"),
    COLLAPSAR_FOUND: '{"dataset": "digits:validation", "priority": 3}',
  });
  const put = async (name: string, content: Uint8Array | string) => {
    await mkdir(join(folder, "store", "shards"), { recursive: true });
    const beside = join(folder, `unswept-${name.replaceAll("/", "-")}`);
    await writeFile(beside, content); // whole at once, or a sweep may see half of it
    await rename(beside, join(folder, "store", name));
    return fileUrl(folder, "store", name);
  };

  it("evaluates what is there and what comes, each version once, and no other files", { timeout: 60_000 }, async () => {
    const first = await put("epoch-1.safetensors", bytes(1));
    await put("notes.txt", "no checkpoint");
    await put("shards/01J.0.0.safetensors", bytes(9)); // what an evaluation keeps for itself
    const bad = await put("bad.pt", "no checkpoint, whatever it is called");
    let service = await start(swept());
    await until(async () => expect(await urlsOf(service)).toEqual([bad, first]));
    const second = await put("epoch-2.safetensors", bytes(2));
    await until(async () => expect(await urlsOf(service)).toEqual([bad, first, second]));
    await until(async () =>
      expect((await evaluationsOf(service)).map(({ status }) => status).toSorted()).toEqual([
        "failed",
        "succeeded",
        "succeeded",
      ]),
    );
    expect((await evaluationsOf(service)).find(({ checkpoint }) => checkpoint.url === first)).toMatchObject({
      dataset: "digits:validation",
    });
    await service.stop();

    service = await start(swept()); // what failed is not tried again either
    await sleep(2500);
    expect(await urlsOf(service)).toEqual([bad, first, second]);
    await put("epoch-1.safetensors", bytes(3));
    await until(async () => expect(await urlsOf(service)).toEqual([bad, first, first, second]));
  });

  it.runIf(s3)(
    "evaluates what is in a bucket and what comes there, each version once",
    { timeout: 60_000 },
    async () => {
      const storage = s3Storage(s3Client());
      const below = `s3://${s3!.bucket}/swept`;
      const putThere = (name: string, content: Uint8Array) => storage.write(`${below}/${name}`, content);
      const { url: first } = await putThere("a/epoch-1.safetensors", bytes(1));
      await putThere("a/log.txt", Buffer.from("no checkpoint"));
      await putThere("shards/01J.0.0.safetensors", bytes(9)); // what an evaluation keeps for itself
      await storage.write(`s3://${s3!.bucket}/beside/epoch-1.safetensors`, bytes(8));
      const service = await start({ ...swept(), COLLAPSAR_SWEEP: below, COLLAPSAR_STORE: below });
      await until(async () => expect(await urlsOf(service)).toEqual([first]));
      const { url: second } = await putThere("b/epoch-2.safetensors", bytes(2));
      await until(async () => expect(await urlsOf(service)).toEqual([first, second]));
      await putThere("a/epoch-1.safetensors", bytes(3));
      await until(async () => expect(await urlsOf(service)).toEqual([first, first, second]));
      await until(async () =>
        expect((await evaluationsOf(service)).map(({ status }) => status)).toEqual(Array(3).fill("succeeded")),
      );
      await sleep(2500);
      expect(await urlsOf(service)).toEqual([first, first, second]);
    },
  );

  it.runIf(postgres)("evaluates each once where several services sweep", { timeout: 60_000 }, async () => {
    const env = { ...swept(), DATABASE_URL: await freshDatabase(postgres!) };
    const urls = await Promise.all([1, 2, 3, 4, 5].map((epoch) => put(`epoch-${epoch}.safetensors`, bytes(epoch))));
    const [one] = await Promise.all([1, 2, 3].map(() => start(env, { worker: false })));
    await until(async () => expect(await urlsOf(one!)).toEqual(urls));
    await sleep(2500);
    expect(await urlsOf(one!)).toEqual(urls);
  });

  it("refuses to start where what is asked of checkpoints cannot be asked", async () => {
    for (const found of ["{", "[]", '{"datset": "x"}', '{"checkpoint": "s3://a/b"}'])
      await expect(start({ ...swept(), COLLAPSAR_FOUND: found })).rejects.toMatchObject({
        code: "invalid-request",
        message: expect.stringContaining("COLLAPSAR_FOUND"),
      });
  });
});

describe.runIf(s3)("POST /events/s3", () => {
  const notify = ({ url }: RunningService, ...keys: string[]) =>
    fetch(`${url}/events/s3`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        Records: keys.map((key) => ({
          eventName: "s3:ObjectCreated:Put",
          s3: { bucket: { name: s3!.bucket }, object: { key: encodeURIComponent(key).replaceAll("%20", "+") } },
        })),
      }),
    });

  it("evaluates the checkpoints that a store tells of, each version once", { timeout: 60_000 }, async () => {
    const service = await start({ COLLAPSAR_FOUND: '{"dataset": "digits:validation"}' });
    const storage = s3Storage(s3Client());
    const url = `s3://${s3!.bucket}/run%207/epoch-1.safetensors`;
    await storage.write(url, bytes(1));
    const answer = await notify(service, "run 7/epoch-1.safetensors", "run 7/log.txt", "run 7/gone.safetensors");
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({
      items: [
        { checkpoint: url, evaluation: { status: "queued" }, error: null },
        { evaluation: null, error: { code: "object-not-found" } },
      ],
    } satisfies { items: object[] });
    await until(async () => expect(await evaluationsOf(service)).toMatchObject([{ status: "succeeded" }]));
    const again = (await (await notify(service, "run 7/epoch-1.safetensors")).json()) as Submissions;
    expect(again).toEqual({ items: [] });
    await storage.write(url, bytes(2));
    expect(await (await notify(service, "run 7/epoch-1.safetensors")).json()).toMatchObject({
      items: [{ error: null }],
    });
    expect((await fetch(`${service.url}/events/s3`, { method: "POST", body: "{}" })).status).toBe(400);
  });
});
