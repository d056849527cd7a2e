import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Config } from "../../src/config.ts";
import { getDetails, getEvaluation } from "../../src/database/evaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { runMetrics } from "../../src/database/runMetrics.ts";
import { evaluations, type Progress, shardedEvaluations } from "../../src/database/schema.ts";
import { CollapsarError } from "../../src/errors.ts";
import { type Evaluated, evaluate } from "../../src/evaluation/evaluate.ts";
import { parseRequest } from "../../src/evaluation/request.ts";
import { handlerOf } from "../../src/jobs/attempt.ts";
import { evaluatorHere } from "../../src/jobs/operations.ts";
import { ATTEMPTS, openQueue } from "../../src/jobs/queue.ts";
import { submitterOf } from "../../src/jobs/submit.ts";
import { openStorage } from "../../src/storage/open.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";

type Place = Pick<Config, "home" | "databaseUrl">;

const IMAGES = 2000 + 797 + 1000;

/** What shards must do on every database. `provide` gives the place of an empty one. */
export function shardsContract(name: string, provide: () => Promise<Place>): void {
  describe(`the shards of an evaluation on ${name}`, { timeout: 120_000 }, () => {
    const storage = openStorage({ fileRoots: null });
    const sources = { storage, data: [] };
    let folder: string;
    let place: Place;
    let uncut: Evaluated;

    const asked = (more: object) =>
      parseRequest({
        checkpoint: fileUrl(folder, "c.safetensors"),
        dataset: "digits:test",
        test: "digits:validation",
        ood: ["fashion-sample"],
        ...more,
      });
    const parts = () => readdir(join(folder, "store", "shards")).catch(() => []);

    beforeAll(async () => {
      folder = await emptyFolder();
      place = await provide();
      await writeFile(join(folder, "c.safetensors"), checkpointBytes());
      uncut = await evaluate(asked({}), { sources });
    });
    afterAll(() => rm(folder, { recursive: true }));

    /**
     * A worker; `write` is called before a part of a shard is stored, and told what its worker's `signal` says, `list` before
     * parts are looked for, to be removed.
     */
    async function open(
      options: {
        concurrency?: number;
        write?: (shard: number, signal: AbortSignal) => Promise<void> | void;
        list?: () => Promise<void>;
      } = {},
    ) {
      const errors: unknown[] = [];
      const onError = (error: unknown) => errors.push(error);
      const begun = new Set<number>();
      const written: string[] = [];
      const database = await openDatabase(place, "collapsar test");
      const queue = await openQueue(database, onError, { backOff: { retryDelay: 0 } });
      const write: typeof storage.write = async (url, content, call) => {
        const [, shard, share] = /\.(\d+)\.(\d+)\.safetensors$/.exec(url)!;
        await options.write?.(Number(shard), call!.signal!);
        written.push(`${shard}.${share}`);
        return storage.write(url, content, call);
      };
      const list: typeof storage.list = async function* (...args) {
        await options.list?.();
        yield* storage.list(...args);
      };
      const store = { storage: { ...storage, write, list }, folder: fileUrl(folder, "store", "shards") };
      const evaluator = evaluatorHere({ sources, parts: store });
      const handler = handlerOf({ database, queue, evaluator, parts: store, onError });
      await queue.work(handler, { concurrency: options.concurrency ?? 1 });

      const submit = async (more: object) =>
        (await submitterOf(queue, sources)(asked({ force: true, ...more }))).evaluation.id;
      /** Waits until no task is left, so that nobody can leave anything behind any more. */
      const ended = async (id: string) => {
        const left = database.orm
          .select({ state: sql`state` })
          .from(sql`pgboss.job`)
          .where(sql`name in ('evaluate', 'evaluate-exhausted') and state < 'completed'`);
        await vi.waitFor(async () => expect(await left).toEqual([]), { timeout: 60_000, interval: 50 });
        return getEvaluation(database, id);
      };
      const nothingIsLeft = async () => {
        expect(await parts()).toEqual([]);
        expect(await database.orm.select().from(shardedEvaluations)).toEqual([]);
        expect(await queue.depth()).toEqual({ queued: 0, running: 0 });
      };
      const close = async () => {
        await queue.stop({ graceful: false });
        await database.close();
      };
      return { database, queue, errors, begun, written, submit, ended, nothingIsLeft, [Symbol.asyncDispose]: close };
    }

    it.each([1, 2, 3, 4, 7])("come to the numbers of the uncut one to the last bit: %i", async (shards) => {
      await using worker = await open({ concurrency: 2 });
      const id = await worker.submit({ shards });
      const { values, omitted, ...evaluation } = await worker.ended(id);
      expect(evaluation).toMatchObject({ status: "succeeded", attempts: 1, error: null, sameAs: null });
      expect(values).toEqual(uncut.values);
      expect(omitted).toEqual(uncut.omitted);
      expect(await getDetails(worker.database, id)).toEqual(uncut.details);
      expect(evaluation).toMatchObject({
        protocol: uncut.protocol,
        engine: uncut.engine,
        sha256: uncut.checkpoint.sha256,
      });
      expect(Object.keys(evaluation.seconds!).sort()).toEqual(["download", "features", "metrics", "open"]);
      expect(shardsOf(worker.written)).toEqual(shards === 1 ? [] : [...Array(shards).keys()]);
      expect((await runMetrics(worker.database, "tiny")).map((row) => row.evaluation)).toEqual([id]);
      await worker.nothingIsLeft();
      expect(worker.errors).toEqual([]);
    });

    it("are cleared up also where the store is away in the moment after the evaluation was recorded", async () => {
      let asked = 0;
      await using worker = await open({
        list: async () => {
          asked += 1;
          if (asked > 1) return;
          await sleep(1500); // as the client of a store tries again; and the watch sees that the evaluation has ended
          throw new CollapsarError("storage-unavailable", "the store is away");
        },
      });
      const id = await worker.submit({ shards: 2 });
      expect(await worker.ended(id)).toMatchObject({ status: "succeeded", error: null });
      expect(asked).toBeGreaterThan(1);
      await worker.nothingIsLeft();
    });

    it("show how far all of them are", async () => {
      const seen: (Progress | null)[] = [];
      await using worker = await open({
        write: async () => {
          seen.push((await getEvaluation(worker.database, id)).progress);
        },
      });
      const id = await worker.submit({ shards: 4 });
      await worker.ended(id);
      expect(seen.every((progress) => progress?.stage === "shards" && progress.total === IMAGES)).toBe(true);
      const done = seen.map((progress) => progress!.done);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
      expect(done.at(-1)).toBeGreaterThanOrEqual(0.7 * IMAGES);
    });

    it("fail and are tried again each alone", async () => {
      let failures = 2;
      await using worker = await open({
        concurrency: 2,
        write(shard) {
          if (shard !== 2 || failures === 0) return;
          failures -= 1;
          throw new CollapsarError("storage-unavailable", "the store is busy");
        },
      });
      const id = await worker.submit({ shards: 4 });
      expect(await worker.ended(id)).toMatchObject({ status: "succeeded", error: null, values: uncut.values });
      expect(failures).toBe(0);
      expect(worker.written.length).toBe(new Set(worker.written).size);
      await worker.nothingIsLeft();
    });

    it(`end the evaluation when one of them failed ${ATTEMPTS} times`, async () => {
      await using worker = await open({
        write(shard) {
          if (shard === 1) throw new CollapsarError("storage-unavailable", "the store is full");
        },
      });
      const error = { code: "storage-unavailable", message: "the store is full" };
      expect(await worker.ended(await worker.submit({ shards: 3 }))).toMatchObject({ status: "failed", error });
      await worker.nothingIsLeft();
    });

    it("end it at once with an error that another attempt would only repeat, and leave nothing behind", async () => {
      const failed = Promise.withResolvers<void>();
      await using worker = await open({
        concurrency: 2,
        async write(shard) {
          const others = worker.begun.size;
          worker.begun.add(shard);
          if (others === 0) await failed.promise; // still at work when the other has failed
          if (others === 1) throw new CollapsarError("forbidden-url", "the store is closed");
        },
      });
      const id = await worker.submit({ shards: 6 });
      const status = async () => (await getEvaluation(worker.database, id)).status;
      await vi.waitFor(async () => expect(await status()).toBe("failed"), 20_000);
      failed.resolve();
      const error = { code: "forbidden-url", message: "the store is closed" };
      expect(await worker.ended(id)).toMatchObject({ status: "failed", error, values: {} });
      expect(worker.begun.size).toBe(2);
      await worker.nothingIsLeft();
    });

    it("stop when the evaluation is cancelled, and leave nothing behind", async () => {
      await using worker = await open({
        async write(shard) {
          worker.begun.add(shard);
          if (worker.begun.size < 3) return;
          await worker.database.orm.update(evaluations).set({ status: "cancelled" }).where(eq(evaluations.id, id));
        },
      });
      const id = await worker.submit({ shards: 5 });
      expect(await worker.ended(id)).toMatchObject({ status: "cancelled", values: {} });
      expect(worker.begun.size).toBe(3);
      await worker.nothingIsLeft();
    });

    it("never mix two checkpoints", async () => {
      const path = join(folder, "changing.safetensors");
      await writeFile(path, checkpointBytes());
      await using worker = await open({ write: () => writeFile(path, checkpointBytes({ seed: 2 })) });
      const id = await worker.submit({ checkpoint: fileUrl(path), shards: 4 });
      const { status, error } = await worker.ended(id);
      expect([status, error?.code]).toEqual(["failed", "conflict"]);
      expect(error?.message).toMatch(/the checkpoint .* what the evaluation began with/);
      await worker.nothingIsLeft();
    });

    it("are put back when their worker is stopped, and done by the next", async () => {
      const atWork = Promise.withResolvers<number>();
      let id: string;
      let done: readonly number[];
      {
        await using worker = await open({
          async write(shard, signal) {
            worker.begun.add(shard);
            if (worker.begun.size < 2) return;
            atWork.resolve(shard);
            await once(signal, "abort");
            signal.throwIfAborted();
          },
        });
        id = await worker.submit({ shards: 3 });
        const stopped = await atWork.promise;
        done = [...worker.begun].filter((shard) => shard !== stopped);
        expect(await getEvaluation(worker.database, id)).toMatchObject({ status: "running" });
      }
      await using next = await open();
      expect(await next.ended(id)).toMatchObject({ status: "succeeded", attempts: 1, values: uncut.values });
      expect(done.length).toBe(1);
      expect(shardsOf(next.written)).toEqual([0, 1, 2].filter((shard) => shard !== done[0]));
      await next.nothingIsLeft();
    });

    it("come before what has not begun", async () => {
      const order: string[] = [];
      await using worker = await open({
        async write() {
          order.push((await getEvaluation(worker.database, second)).status);
        },
      });
      const first = await worker.submit({ shards: 3 });
      const second = await worker.submit({});
      await worker.ended(second);
      expect(new Set(order)).toEqual(new Set(["queued"]));
      const [a, b] = await Promise.all([first, second].map((id) => getEvaluation(worker.database, id)));
      expect(Number(a!.finishedAt)).toBeLessThan(Number(b!.startedAt));
    });

    it("do not make another evaluation of the same request", async () => {
      await using worker = await open();
      const id = await worker.submit({ force: false, shards: 2 });
      await worker.ended(id);
      expect(await worker.submit({ force: false, shards: 3 })).toBe(id);
      expect(await worker.submit({ force: false })).toBe(id);
    });
  });
}

/** Of parts `<shard>.<share>`, in order. */
function shardsOf(parts: readonly string[]): number[] {
  return [...new Set(parts.map((part) => Number.parseInt(part, 10)))].sort((a, b) => a - b);
}
