import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, expect, it } from "vitest";
import type { EvaluationResource } from "../../src/api/contract.ts";
import { serviceAt, submit } from "../../src/commands/connection.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { type Started, startProgram, stopProgram } from "../commands/program.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";

const postgres = await startPostgres();
let folder: string;
let service: Started;
afterEach(async () => {
  await stopProgram(service);
  await rm(folder, { recursive: true });
});
afterAll(() => postgres?.stop());

async function start(): Promise<string> {
  const { DATABASE_URL: _, ...env } = process.env;
  const database = postgres && { DATABASE_URL: await freshDatabase(postgres) };
  service = await startProgram(folder, { ...env, ...database }, "serve", "--port", "0");
  return service.url;
}

/** Returns the longest delay of the service's event loop since this was last asked, and its processor time so far, in seconds. */
async function delayOf(url: string): Promise<{ delay: number; processor: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const gauge = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)![1]);
  return { delay: gauge("nodejs_eventloop_lag_max_seconds"), processor: gauge("process_cpu_seconds_total") };
}

it("the event loop of a service is never held up for 100 ms while it evaluates", { timeout: 300_000 }, async () => {
  folder = await emptyFolder();
  // covariances of 512×512 per class and their factors: two seconds without a break
  const bytes = checkpointBytes({ spec: { width: 64 } });
  await writeFile(join(folder, "c.safetensors"), bytes);
  const url = await start();
  const api = serviceAt(url);
  const request = {
    checkpoint: fileUrl(folder, "c.safetensors"),
    dataset: "digits:validation",
    test: "digits:validation",
  };
  await submit(api, { ...request, dataset: "digits:test" }, 120); // what is loaded once is loaded
  let last = await delayOf(url);

  const { id } = await submit(api, { ...request, ood: ["fashion-sample"] });
  const delays: number[] = [];
  let evaluation: EvaluationResource;
  do {
    await sleep(100);
    const now = await delayOf(url);
    // a loop that is late without having worked was kept waiting by the machine
    delays.push(Math.min(now.delay, now.processor - last.processor));
    last = now;
    evaluation = await api.request(`/evaluations/${id}`);
  } while (["queued", "running"].includes(evaluation.status));
  expect(evaluation).toMatchObject({ status: "succeeded", error: null });
  expect(evaluation.seconds!.metrics).toBeGreaterThan(0.1);
  expect(Math.max(...delays)).toBeLessThan(0.1);
});
