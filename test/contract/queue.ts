import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import type { Config } from "../../src/config.ts";
import { type Evaluation, getEvaluation, startEvaluation } from "../../src/database/evaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { recordEvaluation } from "../../src/database/record.ts";
import { runMetrics } from "../../src/database/runMetrics.ts";
import { CollapsarError } from "../../src/errors.ts";
import { withoutQueries } from "../../src/evaluation/presigned.ts";
import { backlogOf, untilEmpty } from "../../src/jobs/backlog.ts";
import { ATTEMPTS, type Handler, openQueue } from "../../src/jobs/queue.ts";
import { outcome, submission } from "../database/samples.ts";

type Place = Pick<Config, "home" | "databaseUrl">;

/** What the queue must do on every database. `provide` gives the place of an empty one. */
export function queueContract(name: string, provide: () => Promise<Place>): void {
  describe(`the queue on ${name}`, { timeout: 120_000 }, () => {
    it("evaluates what is submitted, each once, in order", async () => {
      await using service = await open(await provide());
      const done: string[] = [];
      await service.queue.work(recording(service, done), { concurrency: 1 });
      const sent = Array.from({ length: 26 }, () => submission());
      const submitted: string[] = [];
      for (const one of sent) submitted.push((await service.queue.submit(one)).evaluation.id);
      expect((await service.queue.submit(sent[0]!)).created).toBe(false);
      await vi.waitFor(async () => expect(await service.queue.depth()).toEqual({ queued: 0, running: 0 }), 20_000);
      await vi.waitFor(() => expect(done).toEqual(submitted), 20_000);
      expect(service.errors).toEqual([]);
    });

    it("knows what is left to do, and when that is nothing", async () => {
      await using service = await open(await provide());
      const { database, queue, errors } = service;
      expect(await backlogOf(database)).toEqual({ waiting: 0, active: 0, oldestSeconds: 0 });
      for (let i = 0; i < 3; i++) await queue.submit(submission());
      const left = await backlogOf(database);
      expect(left).toEqual({ waiting: 3, active: 0, oldestSeconds: expect.any(Number) });
      expect(left.oldestSeconds).toBeGreaterThan(0);
      const done: string[] = [];
      await queue.work(recording(service, done), { concurrency: 1 });
      await untilEmpty(database, { signal: AbortSignal.timeout(20_000), onError: (error) => errors.push(error) });
      expect(done).toHaveLength(3);
      expect(errors).toEqual([]);
    });

    it("has one job for what is submitted several times, and tells each of the evaluation", async () => {
      await using service = await open(await provide());
      const [first, second] = [submission(), submission()];
      const asked = [first, first, second, first, second];
      const answers = await Promise.all(asked.map((sent) => service.queue.submit(sent)));
      expect(new Set(answers.map(({ evaluation }) => evaluation.id)).size).toBe(2);
      expect(answers.filter(({ created }) => created)).toHaveLength(2);
      expect(answers.map(({ evaluation }) => evaluation.requestKey)).toEqual(asked.map(({ requestKey }) => requestKey));
      expect((await backlogOf(service.database)).waiting).toBe(2);
    });

    it("takes up at most as many as it is told to", async () => {
      await using service = await open(await provide());
      let running = 0;
      let most = 0;
      const handler: Handler = async ({ evaluation: id }) => {
        most = Math.max(most, ++running);
        await startEvaluation(service.database, id);
        await vi.waitFor(() => expect(most).toBe(3), 10_000);
        running -= 1;
        await recordEvaluation(service.database, id, outcome());
      };
      for (let i = 0; i < 9; i++) await service.queue.submit(submission());
      await service.queue.work(handler, { concurrency: 3 });
      await vi.waitFor(async () => expect(await service.queue.depth()).toEqual({ queued: 0, running: 0 }), 20_000);
      expect(most).toBe(3);
    });

    it("tries again after a retryable error, which shows meanwhile", async () => {
      await using service = await open(await provide());
      const seen: (string | undefined)[] = [];
      await service.queue.work(
        async ({ evaluation: id }, _signal, attempt) => {
          seen.push((await startEvaluation(service.database, id))?.error?.message);
          if (attempt === 1) throw new CollapsarError("storage-unavailable", "the store is busy");
          await recordEvaluation(service.database, id, outcome());
        },
        { concurrency: 1 },
      );
      const { evaluation } = await service.queue.submit(submission());
      await expectStatus(service, evaluation, { status: "succeeded", attempts: 2, error: null });
      expect(seen).toEqual([undefined, "the store is busy"]);
    });

    it("rests where one attempt after the other fails, so that others take what waits, but not when it is stopped", async () => {
      const place = await provide();
      const service = await open(place, { retryDelay: 1 });
      let attempts = 0;
      const handler: Handler = async ({ evaluation: id }) => {
        attempts += 1;
        await startEvaluation(service.database, id);
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      };
      const { evaluation } = await service.queue.submit(submission());
      for (let i = 0; i < 19; i++) await service.queue.submit(submission());
      await service.queue.work(handler, { concurrency: 1 });
      const error = { code: "disk-full", message: expect.stringContaining("no space left on device") };
      await expectStatus(service, evaluation, { status: "queued", error });
      await sleep(2500);
      expect(attempts).toBeGreaterThan(1);
      expect(attempts).toBeLessThan(5); // at 0, 0, 1 and 3 s; without rests all twenty, some twice
      const stopped = performance.now();
      await service[Symbol.asyncDispose]();
      expect(performance.now() - stopped).toBeLessThan(5000);
      expect(service.errors).toEqual([]);
    });

    it("ends at once with an error that another attempt would only repeat", async () => {
      await using service = await open(await provide());
      await service.queue.work(
        async ({ evaluation: id }) => {
          await startEvaluation(service.database, id);
          throw new CollapsarError("wrong-shape", "conv1.weight has shape 1×2");
        },
        { concurrency: 1 },
      );
      const { evaluation } = await service.queue.submit(submission());
      const error = { code: "wrong-shape", message: "conv1.weight has shape 1×2" };
      await expectStatus(service, evaluation, { status: "failed", attempts: 1, error });
      expect(service.errors).toEqual([]);
    });

    it(`gives up after ${ATTEMPTS} attempts, with the last error`, async () => {
      await using service = await open(await provide());
      await service.queue.work(
        async ({ evaluation: id }, _signal, attempt) => {
          await startEvaluation(service.database, id);
          throw new CollapsarError("storage-unavailable", `attempt ${attempt}`);
        },
        { concurrency: 1 },
      );
      const { evaluation } = await service.queue.submit(submission());
      const error = { code: "storage-unavailable", message: `attempt ${ATTEMPTS}` };
      await expectStatus(service, evaluation, { status: "failed", attempts: ATTEMPTS, error });
    });

    it("stops a handler within 2 s when the evaluation is cancelled from elsewhere, and goes on", async () => {
      const place = await provide();
      await using service = await open(place);
      // another process where the database allows one
      await using other = place.databaseUrl ? await open(place) : null;
      const stopped = Promise.withResolvers<number>();
      await service.queue.work(hangingAtFirst(service, stopped), { concurrency: 1 });
      const { evaluation } = await service.queue.submit(submission());
      const next = await service.queue.submit(submission());
      await expectStatus(service, evaluation, { status: "running" });
      const begun = performance.now();
      const answer = await (other ?? service).queue.cancel(evaluation.id);
      expect(answer).toMatchObject({ status: "cancelled", finishedAt: expect.any(Date) });
      expect((await stopped.promise) - begun).toBeLessThan(2000);
      await expectStatus(service, next.evaluation, { status: "succeeded" });
      expect(await getEvaluation(service.database, evaluation.id)).toMatchObject({ status: "cancelled", attempts: 1 });
      expect((await service.queue.cancel(evaluation.id)).status).toBe("cancelled");
      await expect(service.queue.cancel(next.evaluation.id)).rejects.toMatchObject({ code: "conflict" });
      await expect(service.queue.cancel("none")).rejects.toMatchObject({ code: "not-found" });
      expect(service.errors).toEqual([]);
    });

    it("never runs what was cancelled while it waited, and runs it when it is retried", async () => {
      await using service = await open(await provide());
      const done: string[] = [];
      const [first, second] = [await service.queue.submit(submission()), await service.queue.submit(submission())];
      await service.queue.cancel(first.evaluation.id);
      await service.queue.work(recording(service, done), { concurrency: 1 });
      await expectStatus(service, second.evaluation, { status: "succeeded" });
      expect(await getEvaluation(service.database, first.evaluation.id)).toMatchObject({
        status: "cancelled",
        attempts: 0,
      });
      expect(await service.queue.retry(first.evaluation.id)).toMatchObject({ status: "queued", finishedAt: null });
      await expectStatus(service, first.evaluation, { status: "succeeded", attempts: 1 });
      expect(done).toEqual([second.evaluation.id, first.evaluation.id]);
    });

    it("runs again what it gave up, when it is retried, with all its attempts", async () => {
      await using service = await open(await provide());
      let away = true;
      await service.queue.work(
        async ({ evaluation: id }) => {
          await startEvaluation(service.database, id);
          if (away) throw new CollapsarError("storage-unavailable", "the store is away");
          await recordEvaluation(service.database, id, outcome());
        },
        { concurrency: 1 },
      );
      const { evaluation } = await service.queue.submit(submission());
      await expectStatus(service, evaluation, { status: "failed", attempts: ATTEMPTS });
      await service.queue.retry(evaluation.id);
      await expectStatus(service, evaluation, { status: "failed", attempts: 2 * ATTEMPTS });
      away = false;
      await service.queue.retry(evaluation.id);
      await expectStatus(service, evaluation, { status: "succeeded", attempts: 2 * ATTEMPTS + 1, error: null });
      await expect(service.queue.retry(evaluation.id)).rejects.toMatchObject({ code: "conflict" });
      await expect(service.queue.retry("none")).rejects.toMatchObject({ code: "not-found" });
    });

    it("does not retry what has been submitted again since", async () => {
      await using service = await open(await provide());
      const sent = submission();
      const first = await service.queue.submit(sent);
      await service.queue.cancel(first.evaluation.id);
      const second = await service.queue.submit(sent);
      expect(second.created).toBe(true);
      const refused = service.queue.retry(first.evaluation.id);
      await expect(refused).rejects.toMatchObject({ code: "conflict" });
      await expect(refused).rejects.toThrow(second.evaluation.id);
    });

    it("runs once what was cancelled while it waited and then retried, whoever waits for work", async () => {
      await using service = await open(await provide());
      const { evaluation } = await service.queue.submit(submission());
      await service.queue.cancel(evaluation.id);
      await service.queue.retry(evaluation.id);
      const begun: string[] = [];
      const handler: Handler = async ({ evaluation: id, generation }) => {
        if (!(await startEvaluation(service.database, id, generation))) return;
        begun.push(id);
        await sleep(1000); // time enough for another to begin as well
        await recordEvaluation(service.database, id, outcome());
      };
      await service.queue.work(handler, { concurrency: 2 });
      await expectStatus(service, evaluation, { status: "succeeded", attempts: 1, generation: 1 });
      await untilEmpty(service.database, {
        signal: AbortSignal.timeout(20_000),
        onError: (error) => service.errors.push(error),
      });
      expect(begun).toEqual([evaluation.id]);
    });

    it("stops who works at what is cancelled and at once retried, and lets its end count for nothing", async () => {
      await using service = await open(await provide());
      const stopped = Promise.withResolvers<void>();
      let attempts = 0;
      const handler: Handler = async ({ evaluation: id, generation }, signal) => {
        attempts += 1;
        if (!(await startEvaluation(service.database, id, generation))) return;
        if (attempts === 1) {
          await once(signal, "abort");
          stopped.resolve();
          throw new CollapsarError("wrong-shape", "of the first generation");
        }
        await stopped.promise;
        await sleep(200);
        await recordEvaluation(service.database, id, outcome());
      };
      await service.queue.work(handler, { concurrency: 2 });
      const { evaluation } = await service.queue.submit(submission());
      await expectStatus(service, evaluation, { status: "running" });
      const begun = performance.now();
      await service.queue.cancel(evaluation.id);
      await service.queue.retry(evaluation.id);
      await stopped.promise;
      expect(performance.now() - begun).toBeLessThan(2000);
      await expectStatus(service, evaluation, { status: "succeeded", error: null, attempts: 2 });
    });

    it("keeps the query of a presigned URL while it is needed and no longer, and nowhere else", async () => {
      await using service = await open(await provide());
      const { database, queue } = service;
      const { evaluation } = await queue.submit(submission(presigned()));
      const other = await queue.submit(submission(presigned()));
      const read: unknown[] = [];
      await queue.work(
        async ({ evaluation: id }) => {
          const { request, presigned } = (await startEvaluation(database, id))!;
          read.push({ ...request, ...presigned });
          if (id !== evaluation.id) throw new CollapsarError("malformed-checkpoint", "not one");
          if (read.length === 1) throw new CollapsarError("storage-unavailable", "away", { cause: new Error(SIGNED) });
          await recordEvaluation(database, id, outcome());
        },
        { concurrency: 1 },
      );
      await expectStatus(service, evaluation, { status: "succeeded", presigned: {}, attempts: 2 });
      await expectStatus(service, other.evaluation, { status: "failed", presigned: {} });
      for (const whole of read) expect(whole).toEqual({ checkpoint: SIGNED, dataset: SIGNED });
      await expect(queue.retry(other.evaluation.id)).rejects.toThrow(/query, which is not kept: submit it again/);
      const everything = [
        await database.orm.execute(sql`select * from evaluations`),
        await database.orm.execute(sql`select * from pgboss.job`),
      ];
      expect(JSON.stringify(everything)).toContain("https://models.example/a.safetensors");
      expect(JSON.stringify(everything)).not.toContain("SECRET");
    });

    it("fails an evaluation that takes longer than its request allows, and no other", async () => {
      await using service = await open(await provide());
      const stopped = Promise.withResolvers<number>();
      await service.queue.work(hangingAtFirst(service, stopped), { concurrency: 1 });
      const limited = { request: { checkpoint: "s3://models/a.safetensors", timeout: 1 } };
      const begun = performance.now();
      const { evaluation } = await service.queue.submit(submission(limited));
      const next = await service.queue.submit(submission(limited));
      expect((await stopped.promise) - begun).toBeGreaterThanOrEqual(1000);
      expect((await stopped.promise) - begun).toBeLessThan(3000);
      const error = { code: "timed-out", message: "it was not done in the 1 s that its request allows" };
      await expectStatus(service, evaluation, { status: "failed", attempts: 1, error });
      await expectStatus(service, next.evaluation, { status: "succeeded" });
      expect(service.errors).toEqual([]);
    });

    it("takes what has the highest priority first, and of equals the oldest", async () => {
      await using service = await open(await provide());
      const done: string[] = [];
      const ids: string[] = [];
      for (const priority of [undefined, -1, 5, undefined, 5]) {
        const request = { checkpoint: "s3://models/a.safetensors", ...(priority !== undefined && { priority }) };
        ids.push((await service.queue.submit(submission({ request }))).evaluation.id);
      }
      await service.queue.work(recording(service, done), { concurrency: 1 });
      await vi.waitFor(() => expect(done).toEqual([2, 4, 0, 3, 1].map((i) => ids[i])), 20_000);
    });

    it("puts back what it is stopped in, which uses up no attempt", async () => {
      const place = await provide();
      const attempts: number[] = [];
      let submitted: Evaluation | undefined;
      for (let round = 0; round <= ATTEMPTS; round++) {
        const service = await open(place);
        submitted ??= (await service.queue.submit(submission())).evaluation;
        const started = Promise.withResolvers<void>();
        await service.queue.work(
          async ({ evaluation: id }, signal, attempt) => {
            await startEvaluation(service.database, id);
            attempts.push(attempt);
            started.resolve();
            await once(signal, "abort");
            signal.throwIfAborted();
          },
          { concurrency: 1 },
        );
        await started.promise;
        await service.queue.stop({ graceful: false });
        expect(await getEvaluation(service.database, submitted.id)).toMatchObject({ status: "queued", error: null });
        await service[Symbol.asyncDispose]();
        expect(service.errors).toEqual([]);
      }
      expect(attempts).toEqual(Array(ATTEMPTS + 1).fill(1));
    });

    it("lets a handler end when it is stopped gracefully", async () => {
      await using service = await open(await provide());
      const started = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      await service.queue.work(
        async ({ evaluation: id }) => {
          await startEvaluation(service.database, id);
          started.resolve();
          await goOn.promise;
          await recordEvaluation(service.database, id, outcome());
        },
        { concurrency: 1 },
      );
      const { evaluation } = await service.queue.submit(submission());
      await started.promise;
      const stopped = service.queue.stop({ graceful: true });
      goOn.resolve();
      await stopped;
      expect(await getEvaluation(service.database, evaluation.id)).toMatchObject({ status: "succeeded" });
    });

    it("runs a job again whose worker was killed, within 30 s of the restart, and records it once", async () => {
      const place = await provide();
      const sent = submission();
      const { evaluation } = await (async () => {
        await using service = await open(place);
        return await service.queue.submit(sent);
      })();
      const first = worker(place, "hang");
      await first.says(`attempt 1 at ${evaluation.id}`);
      first.process.kill("SIGKILL");
      await once(first.process, "exit");

      const restarted = performance.now();
      const second = worker(place, "record");
      await second.says(`recorded ${evaluation.id}`);
      expect((performance.now() - restarted) / 1000).toBeLessThan(30);
      second.process.kill("SIGTERM");
      await once(second.process, "exit");

      await using service = await open(place);
      const recorded = await getEvaluation(service.database, evaluation.id);
      expect(recorded).toMatchObject({ status: "succeeded", attempts: 2, values: { nc1: 0.5 } });
      expect(await runMetrics(service.database, recorded.run!)).toHaveLength(1);
      expect((await service.queue.submit(sent)).evaluation.id).toBe(evaluation.id);
      expect(await service.queue.depth()).toEqual({ queued: 0, running: 0 });
    });
  });
}

const SIGNED = "https://models.example/a.safetensors?X-Amz-Signature=SECRET";

function presigned() {
  return withoutQueries({ checkpoint: SIGNED, dataset: SIGNED });
}

type Service = Awaited<ReturnType<typeof open>>;

async function open(place: Place, backOff = { retryDelay: 0 }) {
  const errors: unknown[] = [];
  const database = await openDatabase(place, "collapsar test");
  const queue = await openQueue(database, (error) => errors.push(error), { backOff });
  return {
    database,
    queue,
    errors,
    async [Symbol.asyncDispose]() {
      await queue.stop({ graceful: false });
      await database.close();
    },
  };
}

function recording({ database }: Service, done: string[]): Handler {
  return async ({ evaluation: id }) => {
    if (!(await startEvaluation(database, id))) return;
    await recordEvaluation(database, id, outcome());
    done.push(id);
  };
}

/** Hangs in its first task until its signal is aborted, and records the others. */
function hangingAtFirst({ database }: Service, stopped: PromiseWithResolvers<number>): Handler {
  let tasks = 0;
  return async ({ evaluation: id }, signal) => {
    await startEvaluation(database, id);
    tasks += 1;
    if (tasks === 1) {
      await once(signal, "abort");
      stopped.resolve(performance.now());
      signal.throwIfAborted();
    }
    await recordEvaluation(database, id, outcome());
  };
}

async function expectStatus({ database }: Service, { id }: Evaluation, expected: object) {
  await vi.waitFor(async () => expect(await getEvaluation(database, id)).toMatchObject(expected), {
    timeout: 20_000,
    interval: 20,
  });
}

/** Starts a worker process that hangs in every attempt, or records it. */
function worker({ home, databaseUrl }: Place, mode: "hang" | "record") {
  const script = fileURLToPath(new URL("../jobs/worker.ts", import.meta.url));
  const args = [script, mode, home, ...(databaseUrl ? [databaseUrl] : [])];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  const says = (line: string) => vi.waitFor(() => expect(lines).toContain(line), 40_000);
  return { process: child, says };
}
