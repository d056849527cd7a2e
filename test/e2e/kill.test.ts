import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import type { EvaluationResource, RunMetrics } from "../../src/api/contract.ts";
import { serviceAt, submit } from "../../src/commands/connection.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { type Started, startProgram, stopProgram } from "../commands/program.ts";

let folder: string;
let service: Started;

afterEach(async () => {
  await stopProgram(service);
  await rm(folder, { recursive: true });
});

/** Starts `collapsar serve` in a process of its own, and returns its API when it says where it serves. */
async function start() {
  const { DATABASE_URL: _, ...env } = process.env;
  service = await startProgram(folder, env, "serve", "--port", "0");
  return serviceAt(service.url);
}

it("a service killed in the middle of an evaluation finishes it within 30 s of its restart, recorded once", async () => {
  folder = await emptyFolder();
  const spec = { width: 24 }; // some seconds on the digits
  await writeFile(join(folder, "c.safetensors"), checkpointBytes({ spec, metadata: { dataset: "digits" } }));
  const checkpoint = fileUrl(folder, "c.safetensors");

  const before = await start();
  const { id } = await submit(before, { checkpoint });
  let evaluation: EvaluationResource;
  do {
    await sleep(50);
    evaluation = await before.request(`/evaluations/${id}`);
  } while (evaluation.progress?.stage !== "train");
  expect(evaluation.status).toBe("running");
  await stopProgram(service, "SIGKILL");

  const restarted = performance.now();
  const after = await start();
  evaluation = await submit(after, { checkpoint }, 30);
  expect(performance.now() - restarted).toBeLessThan(30_000);
  expect(evaluation).toMatchObject({ id, status: "succeeded", attempts: 2 });
  const { metrics } = await after.request<RunMetrics>("/runs/tiny/metrics");
  expect(metrics.map((row) => row.evaluation)).toEqual([id]);
});
