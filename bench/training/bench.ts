import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { VERSION } from "../../src/version.ts";
import { describeMachine } from "../machine.ts";
import { runProgram } from "../process.ts";
import { openPython } from "../python.ts";
import { CASES, type Case } from "./cases.ts";
import { type Program, programsOf } from "./programs.ts";
import { formatRows, formatTargets, judge, type Run, rowsOf } from "./result.ts";

/** How the training step is measured. */
export interface TrainingBenchOptions {
  readonly rounds: number;
  /** Names of cases; default: all. */
  readonly cases?: readonly string[];
  readonly python?: string;
  readonly out: string;
}

/** A case as it was measured last. */
type Suite = Readonly<Record<string, unknown>> & { readonly name: string };

/**
 * Measures training steps beside PyTorch's, each program in a process of its own, interleaved. Prints a table per case and
 * writes the results; what the file has of other cases stays.
 */
export async function benchTraining({ rounds, cases: names, python: path, out }: TrainingBenchOptions): Promise<void> {
  const python = openPython(path);
  const versions = {
    collapsar: VERSION,
    node: process.versions.node,
    "tfjs-node": bindingVersion(),
    ...python.versions,
  };
  const suites = new Map<string, Suite>(existsSync(out) ? readSuites(out).map((suite) => [suite.name, suite]) : []);
  for (const of of casesNamed(names)) {
    const about = { date: new Date().toISOString(), machine: describeMachine(), versions };
    const rows = rowsOf(await runRounds(of, programsOf(python, of), rounds));
    const targets = judge(rows);
    console.log(`\n${of.name}, ${rounds} rounds of ${of.steps} steps: median (min–max)\n${formatRows(rows)}\n`);
    console.log(formatTargets(targets));
    suites.set(of.name, { ...about, ...of, rounds, rows, targets });
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, `${JSON.stringify({ suites: [...suites.values()] }, null, 2)}\n`);
  }
}

function readSuites(out: string): Suite[] {
  return JSON.parse(readFileSync(out, "utf8")).suites;
}

function casesNamed(names: readonly string[] | undefined): readonly Case[] {
  const unknown = names?.find((name) => !CASES.some((of) => of.name === name));
  if (unknown) throw new Error(`there is no case "${unknown}", only ${CASES.map(({ name }) => name).join(", ")}`);
  return CASES.filter(({ name }) => names?.includes(name) ?? true);
}

/** Every second round goes backwards, so that none profits from its place. */
async function runRounds(of: Case, programs: readonly Program[], rounds: number) {
  const series = programs.map((program) => ({ program, runs: [] as Run[] }));
  for (let round = 1; round <= rounds; round++)
    for (const { program, runs } of round % 2 === 1 ? series : series.toReversed()) {
      const { printed, peakMiB } = await runProgram(program.command(of));
      const run = { ...(printed as Pick<Run, "imagesPerSecond" | "losses">), peakMiB };
      runs.push(run);
      console.error(`${of.name} round ${round}/${rounds}: ${program.name} ${run.imagesPerSecond.toFixed(1)} images/s`);
    }
  return series;
}

function bindingVersion(): string {
  const manifest = new URL("../../node_modules/@tensorflow/tfjs-node/package.json", import.meta.url);
  return JSON.parse(readFileSync(manifest, "utf8")).version;
}
