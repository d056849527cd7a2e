import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readConfig } from "../../src/config.ts";
import { getEvaluation } from "../../src/database/evaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { submitterOf } from "../../src/jobs/submit.ts";
import { openStorage } from "../../src/storage/open.ts";
import { checkpointBytes } from "../../test/api/samples.ts";
import { COLLAPSAR, residentMegabytes, startProgram } from "../load/program.ts";
import { onPostgres, type Place } from "../onPostgres.ts";
import { runProgram } from "../process.ts";
import { median } from "../spread.ts";
import { writeImages } from "./images.ts";

/** What the issue of a start asks for. */
const BOUNDS = { readyMs: 1000, idleMegabytes: 150, firstBatchMs: 2000 };
const IDLE_MS = 2000;
const API = fileURLToPath(new URL("../../src/api/serve.ts", import.meta.url));

/**
 * Measures, from exec on, when the API is ready on PostgreSQL and what it takes idle, and when a worker has done a first batch,
 * stage by stage beside a Node.js that does nothing. Prints medians and writes the results.
 */
export function benchStart({ out, rounds }: { readonly out: string; readonly rounds: number }): Promise<void> {
  return onPostgres(out, measure);

  async function measure({ folder, url }: Place): Promise<object> {
    const env = { DATABASE_URL: url, COLLAPSAR_HOME: folder, COLLAPSAR_FILE_ROOT: folder };
    writeFileSync(join(folder, "c.safetensors"), checkpointBytes({ spec: { width: 64 } }));
    writeFileSync(join(folder, "images.safetensors"), writeImages(32));
    await startApi(env, folder); // the schema is made, and what Node.js keeps compiled is there
    const empty: number[] = [];
    const loaded: number[] = [];
    const apis = [];
    const workers = [];
    for (let round = 0; round < rounds; round++) {
      empty.push(1000 * (await runProgram([process.execPath, "-e", "console.log(0)"])).seconds);
      loaded.push(1000 * (await loading()));
      apis.push(await startApi(env, folder));
      workers.push(await startWorker(env, folder, round));
    }
    const of = <T extends object>(rows: readonly T[]) =>
      Object.fromEntries(
        Object.keys(rows[0]!).map((key) => [key, Math.round(median(rows.map((row) => row[key as never])))]),
      );
    const result = {
      emptyNodeMs: Math.round(median(empty)),
      apiModulesMs: Math.round(median(loaded)),
      api: of(apis),
      worker: of(workers),
    };
    print(result, rounds);
    return { rounds, bounds: BOUNDS, ...result };
  }
}

/** Seconds until all modules of the API are loaded, in a process that then ends. */
async function loading(): Promise<number> {
  const startup = fileURLToPath(new URL("../../bin/startup.js", import.meta.url));
  const program = `await import(${JSON.stringify(startup)}); await import(${JSON.stringify(API)}); console.log(0); process.exit()`;
  return (await runProgram([process.execPath, "--input-type=module", "-e", program])).seconds;
}

async function startApi(env: Readonly<Record<string, string>>, folder: string) {
  const begun = performance.now();
  const program = startProgram([COLLAPSAR, "serve", "--no-worker", "--port", "0"], env, folder);
  const { url } = await program.says("serving");
  const listeningMs = performance.now() - begun;
  const { ok } = await fetch(`${url}/readyz`);
  if (!ok) throw new Error("the API is not ready");
  const readyMs = performance.now() - begun;
  await sleep(IDLE_MS);
  const idleMegabytes = residentMegabytes(program.pid);
  await program.stop();
  return { listeningMs, readyMs, idleMegabytes };
}

/** A worker finds one evaluation of one batch: 32 images of 28×28 through a ResNet18. */
async function startWorker(env: Readonly<Record<string, string>>, folder: string, round: number) {
  const database = await openDatabase(readConfig(env), "bench");
  const queue = await openQueue(database, console.error);
  const submit = submitterOf(queue, { storage: openStorage({ fileRoots: null }), data: [] });
  const url = (file: string) => pathToFileURL(join(folder, file)).href;
  const { evaluation } = await submit({
    checkpoint: url("c.safetensors"),
    dataset: url("images.safetensors"),
    force: true,
    run: { id: `start-${round}` },
  });
  const begun = Date.now();
  const program = startProgram([COLLAPSAR, "worker"], env, folder);
  const workingMs = (await program.says("working")).time - begun;
  const takenMs = (await program.says("begun")).time - begun;
  const recordedMs = (await program.says("ended")).time - begun;
  await program.stop();
  const { status, error, seconds } = await getEvaluation(database, evaluation.id);
  await queue.stop({ graceful: false });
  await database.close();
  if (status !== "succeeded") throw new Error(`the evaluation ${status}: ${error?.message}`);
  const { download, open, features, metrics } = seconds!;
  const stages = {
    downloadMs: download! * 1000,
    openMs: open! * 1000,
    featuresMs: features! * 1000,
    metricsMs: metrics! * 1000,
  };
  return { workingMs, takenMs, ...stages, recordedMs };
}

function print(
  {
    emptyNodeMs,
    apiModulesMs,
    api,
    worker,
  }: { emptyNodeMs: number; apiModulesMs: number; api: Record<string, number>; worker: Record<string, number> },
  rounds: number,
): void {
  const held = (value: number, bound: number) => `bound ${bound}: ${value < bound ? "held" : "MISSED"}`;
  console.log(`\nfrom exec, medians of ${rounds} rounds, ms
  Node.js that does nothing            ${emptyNodeMs}
  the API's modules are loaded         ${apiModulesMs}
  the API listens                      ${api.listeningMs}
  the API is ready                     ${api.readyMs} (${held(api.readyMs!, BOUNDS.readyMs)})
  the API idle                         ${api.idleMegabytes} MB (${held(api.idleMegabytes!, BOUNDS.idleMegabytes)})
  a worker works                       ${worker.workingMs}
  it has taken its first job           ${worker.takenMs}
  stages: checkpoint ${worker.downloadMs}, sets and engine ${worker.openMs}, first batch ${worker.featuresMs}, metrics ${worker.metricsMs}
  its first evaluation is recorded     ${worker.recordedMs} (${held(worker.recordedMs!, BOUNDS.firstBatchMs)})`);
  const missed =
    api.readyMs! >= BOUNDS.readyMs ||
    api.idleMegabytes! >= BOUNDS.idleMegabytes ||
    worker.recordedMs! >= BOUNDS.firstBatchMs;
  if (missed) process.exitCode = 1;
}
