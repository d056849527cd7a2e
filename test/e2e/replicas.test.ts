import { rm } from "node:fs/promises";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EvaluationResource, RunMetrics } from "../../src/api/contract.ts";
import { type Connection, serviceAt, submit, untilEnded } from "../../src/commands/connection.ts";
import { openStorage } from "../../src/storage/open.ts";
import { checkpointBytes, emptyFolder } from "../api/samples.ts";
import { type Started, startProgram, stopProgram } from "../commands/program.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { startS3 } from "../servers/s3.ts";

const [database, s3] = await Promise.all([startPostgres(), startS3()]);
const CHECKPOINTS = 24;

describe.runIf(database && s3)("two services and two workers on one PostgreSQL and one S3 store", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let services: Started[] = [];
  let workers: Started[] = [];
  let apis: Connection[];

  beforeAll(async () => {
    folder = await emptyFolder();
    env = {
      ...process.env,
      ...s3!.env,
      COLLAPSAR_HOME: folder,
      COLLAPSAR_STORE: `s3://${s3!.bucket}/store`,
      PORT: "0",
    };
    env.DATABASE_URL = await freshDatabase(database!);
    Object.assign(process.env, s3!.env); // the tests write checkpoints themselves
    const start = (...args: string[]) => startProgram(folder, env, ...args);
    services = await Promise.all([start("serve", "--no-worker"), start("serve", "--no-worker")]);
    workers = await Promise.all([start("worker"), start("worker")]);
    apis = services.map(({ url }) => serviceAt(url));
  });
  afterAll(async () => {
    await Promise.all([...services, ...workers].map((started) => stopProgram(started, "SIGKILL")));
    await Promise.all([database?.stop(), s3?.stop()]);
    await rm(folder, { recursive: true });
  });

  const keep = async (name: string, changes: Parameters<typeof checkpointBytes>[0]) => {
    const url = `s3://${s3!.bucket}/${name}.safetensors`;
    await openStorage({ fileRoots: null }).write(url, checkpointBytes(changes));
    return url;
  };
  const begunBy = ({ log }: Started) => log.filter(({ msg }) => msg === "begun").map(({ evaluation }) => evaluation);

  it("do each evaluation once, whichever service took it, and share the work", { timeout: 180_000 }, async () => {
    const urls = await Promise.all(
      Array.from({ length: CHECKPOINTS }, (_, i) =>
        keep(`e${i}`, { seed: i, metadata: { run: `run-${i % 4}`, epoch: String(i) } }),
      ),
    );
    // every one to both services at the same moment: one evaluation all the same
    const taken = await Promise.all(
      urls.map((checkpoint) => Promise.all(apis.map((api) => submit(api, { checkpoint })))),
    );
    const ids = taken.map(([one, other]) => {
      expect(other!.id).toBe(one!.id);
      return one!.id;
    });
    expect(new Set(ids).size).toBe(CHECKPOINTS);

    const ended: EvaluationResource[] = [];
    for (const [i, [one]] of taken.entries()) ended.push(await untilEnded(apis[i % 2]!, one!));
    for (const { status, error, sameAs, values } of ended) {
      expect({ status, error, sameAs }).toEqual({ status: "succeeded", error: null, sameAs: null });
      expect(Object.keys(values ?? {}).length).toBeGreaterThan(20);
    }
    const [here, there] = await Promise.all(
      apis.map((api) => Promise.all([0, 1, 2, 3].map((run) => api.request<RunMetrics>(`/runs/run-${run}/metrics`)))),
    );
    expect(there).toEqual(here);
    expect(here!.flatMap(({ metrics }) => metrics.map(({ evaluation }) => evaluation)).sort()).toEqual(ids.toSorted());

    const shares = workers.map(begunBy);
    expect(shares.flat().sort()).toEqual(ids.toSorted()); // none twice
    for (const share of shares) expect(share.length).toBeGreaterThanOrEqual(CHECKPOINTS / 6);
  });

  it("cancel and tell through one what was submitted through the other", { timeout: 60_000 }, async () => {
    const spec = { width: 64 }; // longer on the digits than it takes to see that it is cancelled
    const checkpoint = await keep("long", { spec, metadata: { dataset: "digits", run: "long" } });
    const { id } = await submit(apis[0]!, { checkpoint });
    const events = await fetch(`${services[1]!.url}/evaluations/${id}/events`);
    const status = async () => (await apis[1]!.request<EvaluationResource>(`/evaluations/${id}`)).status;
    await expect.poll(status, { timeout: 20_000 }).toBe("running");
    await apis[1]!.request(`/evaluations/${id}/cancel`, { method: "POST" });
    expect(await apis[0]!.request(`/evaluations/${id}`)).toMatchObject({ status: "cancelled" });
    expect(await events.text()).toMatch(/event: ended\n.*"status":"cancelled"/s);
    const brokenOff = () =>
      workers.some(({ log }) => log.some((line) => line.msg === "broken off" && line.evaluation === id));
    await expect.poll(brokenOff, { timeout: 10_000 }).toBe(true);
  });

  it("go on when one of each is gone, and refuse a token that the other revoked", { timeout: 120_000 }, async () => {
    expect(await stopProgram(services[0]!)).toBe(0);
    expect(await stopProgram(workers[0]!)).toBe(0);
    const checkpoint = await keep("later", { seed: 99, metadata: { run: "later" } });
    const ended = await untilEnded(apis[1]!, await submit(apis[1]!, { checkpoint }));
    expect(ended).toMatchObject({ status: "succeeded" });

    services[0] = await startProgram(folder, env, "serve", "--no-worker");
    const made = async (name: string, by: Connection) => {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ name, scope: "admin" });
      return (await by.request<{ token: string }>("/tokens", { method: "POST", headers, body })).token;
    };
    const asked = async (shown: string) =>
      (await fetch(`${services[0]!.url}/runs`, { headers: { authorization: `Bearer ${shown}` } })).status;
    const kept = serviceAt(services[1]!.url, await made("kept", apis[1]!));
    await expect.poll(() => asked("none"), { timeout: 3000 }).toBe(401); // it was open until the first was made
    const token = await made("short", kept);
    expect(await asked(token)).toBe(200);
    await kept.request("/tokens/short", { method: "DELETE" });
    await expect.poll(() => asked(token), { timeout: 3000 }).toBe(401);
  });

  it("need no more connections of PostgreSQL than docs/operations.md says", async () => {
    const client = postgres(env.DATABASE_URL!, { max: 1 });
    const [row] = await client`select count(*)::int from pg_stat_activity where datname = current_database()`;
    await client.end();
    console.log(`${row!.count - 1} connections of 3 processes`);
    expect(row!.count - 1).toBeLessThanOrEqual(3 * 15);
  });
});
