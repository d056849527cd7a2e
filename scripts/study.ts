/**
 * The study: 15 seeds of cross-entropy and of the NC loss, each without and with L2-normalised features, on
 * Fashion-MNIST; every epoch's checkpoint evaluated; the records, and a report made of these alone.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { untilToldToStop } from "../src/commands/signals.ts";
import { readConfig } from "../src/config.ts";
import { asCollapsarError } from "../src/errors.ts";
import { factsOf, type StudyFacts } from "./study/facts.ts";
import { publishedPlan } from "./study/plan.ts";
import { encodeRecords, readRecords, recordsOf } from "./study/records.ts";
import { reportOf } from "./study/report.ts";
import { runStudy } from "./study/run.ts";

const HELP = `npm run study [-- --report-only]

Trains and evaluates the networks of the study, only what is missing: it may be stopped at any moment. Then writes the
records to docs/study and the report to docs/study.md. Database, checkpoints and images are in .collapsar/study, unless
COLLAPSAR_HOME, COLLAPSAR_STORE or DATABASE_URL say otherwise. It needs Fashion-MNIST (Debian: dataset-fashion-mnist),
and takes native TensorFlow where npm run tensorflow has made it ready.

  --report-only  makes the report of the records in docs/study; needs neither database nor images
  --help         shows this`;

const DOCS = fileURLToPath(new URL("../docs", import.meta.url));

async function study(): Promise<void> {
  const config = readConfig({ COLLAPSAR_HOME: ".collapsar/study", ...process.env });
  const stop = new AbortController();
  untilToldToStop().then(() => stop.abort());
  const plan = await publishedPlan();
  const studied = await runStudy(plan, config, { say, signal: stop.signal });
  mkdirSync(join(DOCS, "study"), { recursive: true });
  writeFileSync(join(DOCS, "study/records.parquet"), encodeRecords(recordsOf(studied.aggregate)));
  writeFileSync(join(DOCS, "study/study.json"), `${JSON.stringify(await factsOf(plan, studied), null, 2)}\n`);
}

/** Makes the report of the records that are there. */
async function report(): Promise<void> {
  const records = await readRecords(join(DOCS, "study/records.parquet"));
  const facts: StudyFacts = JSON.parse(readFileSync(join(DOCS, "study/study.json"), "utf8"));
  for (const [name, content] of await reportOf(records, facts)) writeFileSync(join(DOCS, name), content);
  say("The report is docs/study.md, its records and charts are in docs/study.");
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  const { values } = parseArgs({ options: { "report-only": { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) process.stdout.write(`${HELP}\n`);
  else {
    if (!values["report-only"]) await study();
    await report();
  }
} catch (error) {
  const { code, message } = asCollapsarError(error);
  console.error(`study: ${message} (${code})`);
  process.exitCode = 1;
}
