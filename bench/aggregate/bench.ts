import { join } from "node:path";
import { sql } from "drizzle-orm";
import type { Aggregate } from "../../src/api/contract.ts";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import type { Database } from "../../src/database/database.ts";
import { openDatabase } from "../../src/database/open.ts";
import { onPostgres, type Place } from "../onPostgres.ts";
import { median } from "../spread.ts";
import { fill, SIZE } from "./fill.ts";
import { plansOf } from "./plans.ts";
import { QUESTIONS, type Question } from "./questions.ts";

const PAIRS = 15;
/** `GET /aggregate` may take so many times the bare SQL. */
const BOUND = 1.3;

/**
 * Measures `GET /aggregate` over a million metric values (15 seeds × 350 epochs × 10 groups × 20 metrics): on PostgreSQL, in
 * interleaved pairs with the bare SQL that gives the same rows, with the plans of both; then on the embedded database. Prints
 * medians and writes the results.
 */
export function benchAggregate({ out }: { readonly out: string }): Promise<void> {
  return onPostgres(out, async (place) => {
    const postgresql = await benchServer(place);
    const embedded = await benchEmbedded(place.folder);
    return { size: SIZE, pairs: PAIRS, postgresql, embedded };
  });
}

async function benchServer({ folder, url }: Place) {
  const database = await openDatabase({ home: folder, databaseUrl: url }, "bench");
  const service = await serve(readConfig({ DATABASE_URL: url, COLLAPSAR_HOME: folder, PORT: "0" }), { worker: false });
  try {
    console.error("filling PostgreSQL");
    await fill(database);
    const results = [];
    for (const question of QUESTIONS) results.push(await benchQuestion(question, database, service, url));
    return results;
  } finally {
    await service.stop();
    await database.close();
  }
}

async function benchQuestion(question: Question, database: Database, service: RunningService, url: string) {
  const programs = {
    service: () => answerOf(service, question),
    bare: () => database.orm.execute(sql.raw(question.bare)) as unknown as Promise<{ rows: unknown[] }>,
    bareSummary: () => database.orm.execute(sql.raw(question.bareSummary)),
  };
  requireAgreement(question, await programs.service(), (await programs.bare()).rows as BareRow[]);
  const rounds: Record<keyof typeof programs, number>[] = [];
  for (let round = 0; round < PAIRS; round++) {
    const order = Object.entries(programs) as [keyof typeof programs, () => Promise<unknown>][];
    const times = [];
    for (const [name, program] of round % 2 === 0 ? order : order.toReversed())
      times.push([name, await milliseconds(program)]);
    rounds.push(Object.fromEntries(times));
  }
  const of = (pick: (round: (typeof rounds)[number]) => number) => median(rounds.map(pick));
  const result = {
    question: question.name,
    path: question.path,
    milliseconds: { service: of((r) => r.service), bare: of((r) => r.bare), bareSummary: of((r) => r.bareSummary) },
    ratio: of((r) => r.service / r.bare),
    ratioToSummary: of((r) => r.service / r.bareSummary),
    plans: await plansOf(url, question),
  };
  print(result);
  return result;
}

function print({ question, milliseconds, ratio, ratioToSummary, plans }: Awaited<ReturnType<typeof benchQuestion>>) {
  const [service, bare, summary] = Object.values(milliseconds).map((time) => time.toFixed(0).padStart(5));
  console.log(`\n${question}, medians of ${PAIRS} interleaved rounds on PostgreSQL
  GET /aggregate                        ${service} ms
  bare SQL, the same rows               ${bare} ms, ratio ${ratio.toFixed(2)} (bound ${BOUND}: ${ratio <= BOUND ? "held" : "MISSED"})
  bare SQL, without the values of seeds ${summary} ms, ratio ${ratioToSummary.toFixed(2)}`);
  for (const [of, plan] of Object.entries(plans))
    console.log(`\n  plan of ${of}:\n${plan.map((line) => `    ${line}`).join("\n")}`);
  if (ratio > BOUND) process.exitCode = 1;
}

async function benchEmbedded(folder: string) {
  const home = join(folder, "home");
  const database = await openDatabase({ home, databaseUrl: null }, "bench");
  console.error("filling the embedded database");
  const seconds = (await milliseconds(() => fill(database))) / 1000;
  await database.close();
  const service = await serve(readConfig({ COLLAPSAR_HOME: home, PORT: "0" }), { worker: false });
  try {
    console.log(`\nembedded database, filled in ${seconds.toFixed(0)} s, medians of ${PAIRS}`);
    const results = [];
    for (const question of QUESTIONS) {
      await answerOf(service, question);
      const times = [];
      for (let round = 0; round < PAIRS; round++) times.push(await milliseconds(() => answerOf(service, question)));
      console.log(`  GET /aggregate, ${question.name.padEnd(25)} ${median(times).toFixed(0).padStart(5)} ms`);
      results.push({ question: question.name, milliseconds: median(times) });
    }
    return { fillSeconds: seconds, results };
  } finally {
    await service.stop();
  }
}

async function answerOf(service: RunningService, { path }: Question): Promise<Uint8Array> {
  const response = await fetch(`${service.url}${path}`);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return response.bytes();
}

interface BareRow {
  readonly group: string;
  readonly metric: string;
  readonly n: number;
  readonly mean: number;
  readonly sd: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly perSeed: Aggregate["rows"][number]["perSeed"];
}

/** Both must give the same rows: counts and seeds exactly, what is computed to 1e-12 of it. */
function requireAgreement({ name }: Question, answer: Uint8Array, bare: readonly BareRow[]): void {
  const { rows } = JSON.parse(new TextDecoder().decode(answer)) as Aggregate;
  const close = (a: number | null, b: number) => a !== null && Math.abs(a - b) <= 1e-12 * Math.abs(b);
  const agree = (row: Aggregate["rows"][number], expected: BareRow) =>
    (["group", "metric", "n", "min", "max"] as const).every((key) => row[key] === expected[key]) &&
    (["mean", "sd", "median"] as const).every((key) => close(row[key], expected[key])) &&
    JSON.stringify(row.perSeed) === JSON.stringify(expected.perSeed);
  const differ = rows.findIndex((row, i) => !agree(row, bare[i]!));
  if (rows.length !== bare.length || differ >= 0)
    throw new Error(`${name}: ${rows.length} rows, bare SQL ${bare.length}; row ${differ} differs`);
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
