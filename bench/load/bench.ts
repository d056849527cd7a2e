import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import autocannon, { type Options as Shooting } from "autocannon";
import { openDatabase } from "../../src/database/open.ts";
import { checkpointBytes } from "../../test/api/samples.ts";
import { EXPERIMENT, fill } from "../aggregate/fill.ts";
import { onPostgres, type Place } from "../onPostgres.ts";
import { median, ratioSpread, type Spread } from "../spread.ts";
import { watchMemory } from "./memory.ts";
import { COLLAPSAR, startProgram } from "./program.ts";

/** Runs that are asked for, one after the other. */
const SIZE = { groups: 10, seeds: 15, epochs: 4 };
/** A training script or two, and a batch of them. */
const CONNECTIONS = [10, 100];
/** What is made once is made then, and what runs often is compiled. */
const WARM_UP_SECONDS = 5;
const BARE = fileURLToPath(new URL("bare.ts", import.meta.url));

/** The least share of a bare route's requests a second that the service's route is to have. */
const BOUNDS = { "GET /runs/:id/metrics": 0.6, "POST /evaluate": 0.4 };
type Route = keyof typeof BOUNDS;

interface Options {
  readonly out: string;
  readonly rounds: number;
  /** Of each program in each round. */
  readonly seconds: number;
  /** Of the watch over memory; 0: none. */
  readonly minutes: number;
}

/**
 * Measures requests a second of the service beside a bare Hono route that does one statement, interleaved, on a PostgreSQL
 * that syncs its commits; then, where asked, the memory of the service over minutes of load. Prints and writes the results.
 */
export function benchLoad({ out, rounds, seconds, minutes }: Options): Promise<void> {
  return onPostgres(out, measure, { durable: true });

  async function measure({ folder, url }: Place): Promise<object> {
    const database = await openDatabase({ home: folder, databaseUrl: url }, "bench");
    await fill(database, SIZE);
    await database.close();
    const checkpoint = join(folder, "c.safetensors");
    writeFileSync(checkpoint, checkpointBytes());
    const env = { DATABASE_URL: url, COLLAPSAR_HOME: folder, COLLAPSAR_FILE_ROOT: folder, COLLAPSAR_RATE_LIMIT: "0" };
    const programs = {
      service: startProgram([COLLAPSAR, "serve", "--no-worker", "--port", "0"], env, folder),
      bare: startProgram([BARE], env, folder),
    };
    const urls = {
      service: (await programs.service.says("serving")).url!,
      bare: (await programs.bare.says("serving")).url!,
    };
    try {
      const routes = [];
      const asked = { rounds, seconds, urls, checkpoint: pathToFileURL(checkpoint).href };
      for (const connections of CONNECTIONS)
        for (const route of Object.keys(BOUNDS) as Route[])
          routes.push(await benchRoute(route, { ...asked, connections }));
      const memory =
        minutes > 0 ? await watchMemory(programs.service.pid, urls.service, asked.checkpoint, minutes) : null;
      return { size: SIZE, routes, memory };
    } finally {
      await Promise.all([programs.service.stop(), programs.bare.stop()]);
    }
  }
}

interface Asked extends Pick<Options, "rounds" | "seconds"> {
  readonly urls: { readonly service: string; readonly bare: string };
  /** URL of a checkpoint that is there. */
  readonly checkpoint: string;
  readonly connections: number;
}

async function benchRoute(route: Route, { rounds, seconds, urls, checkpoint, connections }: Asked) {
  const shoot = (name: "service" | "bare", duration: number) =>
    load({ url: urls[name], connections, duration }, route, checkpoint);
  const measured: { service: Measured; bare: Measured }[] = [];
  for (const name of ["service", "bare"] as const) await shoot(name, WARM_UP_SECONDS);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? (["service", "bare"] as const) : (["bare", "service"] as const);
    const pairs = [];
    for (const name of order) pairs.push([name, await shoot(name, seconds)] as const);
    measured.push(Object.fromEntries(pairs) as { service: Measured; bare: Measured });
  }
  const of = (name: "service" | "bare") => ({
    perSecond: median(measured.map((round) => round[name].perSecond)),
    p50: median(measured.map((round) => round[name].p50)),
    p99: median(measured.map((round) => round[name].p99)),
  });
  const rates = (name: "service" | "bare") => measured.map((round) => round[name].perSecond);
  const ratio: Spread = ratioSpread(rates("service"), rates("bare"));
  const result = { route, connections, bound: BOUNDS[route], ratio, service: of("service"), bare: of("bare") };
  const line = (name: "service" | "bare") =>
    `  ${name.padEnd(8)} ${result[name].perSecond.toFixed(0).padStart(6)} requests/s, p50 ${result[name].p50} ms, p99 ${result[name].p99} ms`;
  const held = ratio.median >= result.bound ? "held" : "MISSED";
  console.log(`\n${route}, ${connections} connections, medians of ${rounds} interleaved rounds of ${seconds} s
${line("service")}\n${line("bare")}\n  ratio ${ratio.median.toFixed(2)} (bound ${result.bound}: ${held})`);
  if (ratio.median < result.bound) process.exitCode = 1;
  return result;
}

interface Measured {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

type Shot = Pick<Shooting, "url" | "connections" | "duration">;

async function load(shot: Shot, route: Route, checkpoint: string): Promise<Measured> {
  const requests = [route === "POST /evaluate" ? submission(checkpoint) : question()];
  const result = await autocannon({ ...shot, requests });
  if (result.non2xx + result.errors > 0)
    throw new Error(`${route}: ${result.non2xx} answers were no success, ${result.errors} requests failed`);
  return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

let asked = 0;

/** Of one run after the other. */
function question() {
  const path = () => {
    asked += 1;
    return `/runs/group-${(asked % SIZE.groups) + 1}-seed-${(asked % SIZE.seeds) + 1}/metrics`;
  };
  return { method: "GET", setupRequest: (request: object) => ({ ...request, path: path() }) };
}

/** Each of a run and epoch of its own, so that each is a new evaluation. */
function submission(checkpoint: string) {
  const body = () => {
    asked += 1;
    return JSON.stringify({ checkpoint, dataset: "digits:test", run: { id: `${EXPERIMENT}-${asked}`, epoch: asked } });
  };
  const headers = { "content-type": "application/json" };
  return {
    method: "POST",
    path: "/evaluate",
    headers,
    setupRequest: (request: object) => ({ ...request, body: body() }),
  };
}
