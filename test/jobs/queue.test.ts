import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { Config } from "../../src/config.ts";
import type { Database } from "../../src/database/database.ts";
import { getEvaluation, retryEvaluation } from "../../src/database/evaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { submitEvaluation } from "../../src/database/submissions.ts";
import { ATTEMPTS, openQueue, type Queue } from "../../src/jobs/queue.ts";
import { queueContract } from "../contract/queue.ts";
import { fresh, submission } from "../database/samples.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "collapsar-queue-"));
const server = await startPostgres();
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// An embedded database takes seconds to make, and a moment to copy.
const template = { home: join(folder, "template"), databaseUrl: null };
await (await openDatabase(template, "collapsar test")).close();

const newHome = () => {
  const home = join(folder, fresh("home"));
  cpSync(template.home, home, { recursive: true });
  return home;
};

queueContract("the embedded database", async () => ({ home: newHome(), databaseUrl: null }));

describe("the queue on the embedded database", () => {
  it("gives up on an evaluation that kills its worker", { timeout: 120_000 }, async () => {
    const place = { home: newHome(), databaseUrl: null };
    const submitted = await withQueue(place, async (queue) => (await queue.submit(submission())).evaluation.id);
    for (let i = 0; i < ATTEMPTS; i++) {
      const worker = spawn(process.execPath, [fileURLToPath(new URL("worker.ts", import.meta.url)), "die", place.home]);
      expect(await once(worker, "exit")).toEqual([null, "SIGKILL"]);
    }
    const error = { code: "internal", message: `the worker died at each of ${ATTEMPTS} attempts` };
    await withQueue(place, async (queue, database) => {
      await queue.work(async () => expect.fail("a sixth attempt"), { concurrency: 1 });
      await vi.waitFor(
        async () => expect(await getEvaluation(database, submitted)).toMatchObject({ status: "failed", error }),
        10_000,
      );
    });
  });
});

if (server) {
  queueContract("PostgreSQL", async () => ({ home: folder, databaseUrl: await freshDatabase(server) }));

  describe("the queue on PostgreSQL", () => {
    it("answers conflict to a retry while the same is being submitted again, and the retried to the reverse", async () => {
      const place = { home: folder, databaseUrl: await freshDatabase(server) };
      await withQueue(place, async (queue, database) => {
        const sent = submission();
        const first = await queue.submit(sent);
        await queue.cancel(first.evaluation.id);
        let retried: Promise<unknown> | undefined;
        await database.orm.transaction(async (orm) => {
          await submitEvaluation({ orm }, sent);
          retried = queue.retry(first.evaluation.id).catch((error) => error);
          await setTimeout(300); // it waits for the end of this transaction
        });
        expect(await retried).toMatchObject({
          code: "conflict",
          message: expect.stringContaining("submitted again since"),
        });

        const other = submission();
        const second = await queue.submit(other);
        await queue.cancel(second.evaluation.id);
        let submitted: Promise<unknown> | undefined;
        await database.orm.transaction(async (orm) => {
          await retryEvaluation({ orm }, second.evaluation.id);
          submitted = queue.submit(other);
          await setTimeout(300);
        });
        expect(await submitted).toMatchObject({ created: false, evaluation: { id: second.evaluation.id } });
      });
    });

    it("is made once by five processes that start at the same moment, and shared", async () => {
      const place = { home: folder, databaseUrl: await freshDatabase(server) };
      const sent = submission();
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => withQueue(place, (queue) => queue.submit(sent))),
      );
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
      expect(await withQueue(place, (queue) => queue.depth())).toEqual({ queued: 1, running: 0 });
    });
  });
}

async function withQueue<T>(
  place: Pick<Config, "home" | "databaseUrl">,
  use: (queue: Queue, database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(place, "collapsar test");
  const queue = await openQueue(database, console.error, { backOff: { retryDelay: 0 } });
  const result = await use(queue, database);
  await queue.stop({ graceful: true });
  await database.close();
  return result;
}
