import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PgBoss } from "pg-boss";
import { readConfig } from "../../src/config.ts";
import { listEvaluations } from "../../src/database/listEvaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { untilEmpty } from "../../src/jobs/backlog.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { submitterOf } from "../../src/jobs/submit.ts";
import { openStorage } from "../../src/storage/open.ts";
import { checkpointBytes } from "../../test/api/samples.ts";
import { onPostgres, type Place } from "../onPostgres.ts";
import { median } from "../spread.ts";
import { COLLAPSAR, startProgram } from "./program.ts";

/** To submit and record an evaluation that does no work, ms. */
const BOUND = 30;

/**
 * Measures what an evaluation costs that does no work, its bytes having been measured under another run: submitted to a worker
 * that waits for it, one at a time, until it is recorded; then as many a second of a full queue by one worker, beside pg-boss
 * alone with a handler that does nothing. PostgreSQL syncs its commits. Prints and writes the results.
 */
export function benchOverhead({ out, count }: { readonly out: string; readonly count: number }): Promise<void> {
  return onPostgres(out, measure, { durable: true });

  async function measure({ folder, url }: Place): Promise<object> {
    const env = { DATABASE_URL: url, COLLAPSAR_HOME: folder, COLLAPSAR_FILE_ROOT: folder };
    writeFileSync(join(folder, "c.safetensors"), checkpointBytes());
    const checkpoint = pathToFileURL(join(folder, "c.safetensors")).href;
    const database = await openDatabase(readConfig(env), "bench");
    const queue = await openQueue(database, console.error);
    const submit = submitterOf(queue, { storage: openStorage({ fileRoots: null }), data: [] });
    const ask = (run: string) => submit({ checkpoint, dataset: "digits:test", run: { id: run, epoch: 1 } });

    const worker = startProgram([COLLAPSAR, "worker"], env, folder);
    await worker.says("working");
    const milliseconds: number[] = [];
    for (let i = 0; i < count; i++) {
      const begun = Date.now();
      await ask(`one-${i}`);
      milliseconds.push((await worker.says("ended")).time - begun);
    }
    await worker.stop();

    for (let i = 0; i < count; i++) await ask(`many-${i}`);
    const second = startProgram([COLLAPSAR, "worker"], env, folder);
    await second.says("working");
    await untilEmpty(database, { signal: AbortSignal.timeout(120_000), onError: console.error });
    const { items } = await listEvaluations(database, { limit: count });
    await second.stop();
    await queue.stop({ graceful: false });
    await database.close();
    if (items.some(({ status }) => status !== "succeeded")) throw new Error("not all were recorded");
    const times = items.map(({ finishedAt }) => Number(finishedAt));
    const perSecond = (1000 * (count - 1)) / (Math.max(...times) - Math.min(...times));
    const queueAlone = await benchQueue(env.DATABASE_URL, count);

    const each = median(milliseconds.slice(1)); // the first is measured
    const sorted = milliseconds.slice(1).sort((a, b) => a - b);
    const p95 = sorted[Math.floor(0.95 * sorted.length)]!;
    console.log(`\nan evaluation that does no work, ${count} of them
  submitted and recorded, one at a time  ${each} ms, 95 % within ${p95} ms (bound ${BOUND}: ${each < BOUND ? "held" : "MISSED"})
  of a full queue, one worker            ${perSecond.toFixed(0)} a second
  pg-boss alone, one worker              ${queueAlone.toFixed(0)} a second`);
    if (each >= BOUND) process.exitCode = 1;
    return { count, bound: BOUND, milliseconds: { median: each, p95 }, perSecond, queueAlone };
  }
}

/** Returns how many jobs a second one worker of pg-boss takes and ends, as our worker is set up. */
async function benchQueue(connectionString: string, count: number): Promise<number> {
  const boss = new PgBoss({ connectionString, schema: "alone", schedule: false, useListenNotify: true });
  await boss.start();
  await boss.createQueue("empty", { notify: true });
  for (let i = 0; i < count; i++) await boss.send("empty", { i });
  const { promise, resolve } = Promise.withResolvers<void>();
  let done = 0;
  let begun = 0;
  const worker = await boss.work("empty", { pollingIntervalSeconds: 2 }, async () => {
    begun ||= performance.now();
    done += 1;
    if (done === count) resolve();
    setImmediate(() => boss.notifyWorker(worker));
  });
  await promise;
  const seconds = (performance.now() - begun) / 1000;
  await boss.stop({ timeout: 1000 });
  return (count - 1) / seconds;
}
