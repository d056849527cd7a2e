/**
 * The soak: submissions to two services and three workers on a PostgreSQL and an S3 server of their own, while workers are
 * killed, PostgreSQL is restarted twice, the S3 server is away and a disk is full; beside a quiet run of the same.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeMachine } from "../bench/machine.ts";
import { wholeNumber } from "../src/commands/options.ts";
import { formatProgress, progressLine } from "../src/commands/progressLine.ts";
import { untilToldToStop } from "../src/commands/signals.ts";
import { type Listener, runScenario } from "../test/faults/scenario.ts";
import { startOwnPostgres } from "../test/servers/postgres.ts";
import { startOwnS3 } from "../test/servers/s3.ts";
import { soakTables } from "./soak/table.ts";

const HELP = `npm run soak [-- --submissions N] [--rate N] [--kill-every S] [--out FILE] [--json] [--quiet] [--verbose]

Submits N evaluations to two services while workers are killed every few seconds, PostgreSQL is restarted twice, the S3
server is away for 20 s and the disk of one worker is full; then compares all that was recorded with a quiet run. Ends with
1 where an evaluation was lost, done twice, or came to other numbers. Needs PostgreSQL and weed (SeaweedFS); everything
else is made for the run and removed.

  --submissions N   default 2000
  --rate N          submissions a second, amid faults (default 6)
  --kill-every S    seconds between two kills (default 4)
  --out FILE        where the report goes (default bench/results/soak.json)
  --json            prints the report as JSON
  --quiet           no progress
  --verbose         every failure that a process logs
  --help            shows this`;

const OUT = fileURLToPath(new URL("../bench/results/soak.json", import.meta.url));
const S3_SECONDS = 20;
const SAY_MILLISECONDS = 10_000;

const { values } = parseArgs({
  options: {
    submissions: { type: "string", default: "2000" },
    rate: { type: "string", default: "6" },
    "kill-every": { type: "string", default: "4" },
    out: { type: "string", default: OUT },
    json: { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean" },
  },
});

async function soak(): Promise<void> {
  const plan = {
    submissions: wholeNumber(1)(values.submissions),
    perSecond: wholeNumber(1)(values.rate),
    killSeconds: wholeNumber(1)(values["kill-every"]),
    s3Seconds: S3_SECONDS,
  };
  const [postgres, s3] = await Promise.all([startOwnPostgres(), startOwnS3()]);
  try {
    if (!postgres || !s3) throw new Error("needs PostgreSQL and weed (SeaweedFS)");
    const report = await runScenario({ postgres, s3 }, plan, listener());
    const whole = { date: new Date().toISOString(), machine: describeMachine(), ...report };
    writeFileSync(values.out, `${JSON.stringify(whole, null, 2)}\n`);
    process.stdout.write(values.json ? `${JSON.stringify(whole)}\n` : `${soakTables(report)}\n`);
    for (const problem of report.problems) process.stderr.write(`soak: ${problem}\n`);
    if (report.problems.length > 0) process.exitCode = 1;
  } finally {
    await Promise.all([postgres?.stop(), s3?.stop()]);
  }
}

/** On a terminal one line that is drawn again, elsewhere a line now and then. */
function listener(): Listener {
  const line = progressLine(values);
  let stage = { name: "", begun: 0, from: 0, said: 0 };
  const say = (text: string) => {
    if (values.quiet) return;
    line.end();
    process.stderr.write(`${text}\n`);
  };
  return {
    say,
    hear: values.verbose ? say : () => {},
    progress(name, done, total) {
      const now = performance.now();
      if (name !== stage.name) stage = { name, begun: now, from: done, said: now };
      line.update(name, done, total, "parts");
      if (process.stderr.isTTY || now - stage.said < SAY_MILLISECONDS) return;
      stage.said = now;
      const { begun, from } = stage;
      say(formatProgress({ stage: name, from, done, total, unit: "parts", seconds: (now - begun) / 1000 }, 0));
    },
  };
}

// the processes of the run end with this one
untilToldToStop().then(() => process.exit(1));
try {
  if (values.help) process.stdout.write(`${HELP}\n`);
  else await soak();
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
