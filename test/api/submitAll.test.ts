import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { EvaluationList, EvaluationResource, Submissions } from "../../src/api/contract.ts";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import { MAX_CHECKPOINTS } from "../../src/evaluation/request.ts";
import { s3Client, s3Storage } from "../../src/storage/s3.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { startS3 } from "../servers/s3.ts";
import { checkpointBytes, emptyFolder } from "./samples.ts";

const [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
Object.assign(process.env, s3?.env); // the service runs in this process, and the SDK reads its environment
afterAll(async () => {
  await Promise.all([postgres?.stop(), s3?.stop()]);
});

describe.runIf(s3)("several checkpoints on S3", () => {
  let folder: string;
  let service: RunningService;
  let urls: string[];

  const post = async (checkpoint: unknown, asked: object = {}) => {
    const answer = await fetch(`${service.url}/evaluate`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ checkpoint, ...asked }),
    });
    return { status: answer.status, body: (await answer.json()) as Submissions & { code: string; detail: string } };
  };
  const evaluations = async (query: string) =>
    ((await (await fetch(`${service.url}/evaluations?${query}`)).json()) as EvaluationList).items;

  beforeAll(async () => {
    folder = await emptyFolder();
    const storage = s3Storage(s3Client());
    const put = (key: string, content: Uint8Array | string) =>
      storage.write(`s3://${s3!.bucket}/${key}`, Buffer.from(content)).then(({ url }) => url);
    urls = [];
    for (const epoch of ["1", "2", "3"])
      urls.push(
        await put(
          `run-7/epoch-${epoch}.safetensors`,
          checkpointBytes({ metadata: { run: "run-7", epoch, seed: epoch } }),
        ),
      );
    urls.push(await put("run-7/epoch-4.safetensors", "not a checkpoint"));
    await put("run-7/log.txt", "not asked for");
    await put("run-7/deeper/epoch-9.safetensors", "not asked for");
    await put("run-70/epoch-9.safetensors", "not asked for");
    const database = postgres && { DATABASE_URL: await freshDatabase(postgres) };
    service = await serve(readConfig({ COLLAPSAR_HOME: join(folder, "home"), PORT: "0", ...database }));
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  it("that match a pattern each have an id, and end each for itself", { timeout: 60_000 }, async () => {
    const asked = { dataset: "digits:validation" };
    const { status, body } = await post(`s3://${s3!.bucket}/run-7/*.safetensors`, asked);
    expect(status).toBe(202);
    expect(body.items.map(({ checkpoint, error }) => ({ checkpoint, error }))).toEqual(
      urls.map((checkpoint) => ({ checkpoint, error: null })),
    );
    const ids = body.items.map(({ evaluation }) => evaluation!.id);
    expect(new Set(ids).size).toBe(4);
    const read = async (id: string) =>
      (await (await fetch(`${service.url}/evaluations/${id}`)).json()) as EvaluationResource;
    await vi.waitFor(
      async () =>
        expect((await Promise.all(ids.map(read))).map(({ status, epoch }) => [status, epoch])).toEqual([
          ["succeeded", 1],
          ["succeeded", 2],
          ["succeeded", 3],
          ["failed", null],
        ]),
      { timeout: 30_000, interval: 200 },
    );
    expect((await read(ids[3]!)).error).toMatchObject({ code: "malformed-checkpoint" });
    const again = await post(`s3://${s3!.bucket}/run-7/epoch-[12].safetensors`, asked);
    expect(again.body.items.map(({ evaluation }) => evaluation!.id)).toEqual(ids.slice(0, 2));
    const values = await Promise.all(ids.slice(0, 3).map(async (id) => (await read(id)).values));
    expect(new Set(values.map(({ nc1 }) => nc1)).size).toBe(1); // one network under three epochs
  });

  it("as many as a list may have are answered in its order, each by its evaluation or its error", {
    timeout: 60_000,
  }, async () => {
    const missing = (i: number) => `s3://${s3!.bucket}/run-8/epoch-${i}.safetensors`;
    const list = Array.from({ length: MAX_CHECKPOINTS }, (_, i) => (i === 700 ? urls[0]! : missing(i)));
    list[900] = "s3://no-such-bucket-anywhere/a.safetensors";
    const { status, body } = await post(list, { dataset: "digits:validation" });
    expect(status).toBe(202);
    expect(body.items.map(({ checkpoint }) => checkpoint)).toEqual(list);
    for (const [i, { evaluation, error }] of body.items.entries())
      if (i === 700) expect({ id: evaluation!.id, error }).toEqual({ id: expect.any(String), error: null });
      else expect({ i, evaluation, code: error!.code }).toEqual({ i, evaluation: null, code: "object-not-found" });
    expect(await evaluations("run=run-8")).toEqual([]);
    expect((await post([...list, missing(1000)])).status).toBe(400);
  });

  it("of a pattern that matches nothing are none, and that is said", async () => {
    const { status, body } = await post(`s3://${s3!.bucket}/run-9/*.safetensors`);
    expect({ status, code: body.code }).toEqual({ status: 422, code: "object-not-found" });
    expect(body.detail).toContain("run-9/*.safetensors");
  });
});
