import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { VERSION } from "../../src/version.ts";
import { describeMachine } from "../machine.ts";
import { openPython, type Python } from "../python.ts";
import { type Architecture, benchFiles } from "./files.ts";
import { OURS, programsOf } from "./programs.ts";
import { judge, rowsOf } from "./result.ts";
import { runRounds } from "./rounds.ts";
import { formatRows, formatTargets } from "./table.ts";

/** Images per run, unless told otherwise: some 20 s on two cores. */
const IMAGES: Readonly<Record<Architecture, number>> = { resnet18: 1024, resnet50: 512 };

/** How feature extraction is measured. */
export interface InferenceBenchOptions {
  readonly rounds: number;
  readonly images?: number;
  /** Names of programs; default: all. */
  readonly only?: readonly string[];
  readonly arch: readonly Architecture[];
  readonly python?: string;
  readonly out: string;
}

/** Measures feature extraction beside other frameworks'. Prints a table per architecture and writes the results. */
export async function benchInference({
  rounds,
  images,
  only,
  arch: architectures,
  python: path,
  out,
}: InferenceBenchOptions): Promise<void> {
  const python = openPython(path);
  const programs = programsOf(python).filter(({ name }) => name === OURS || (only?.includes(name) ?? true));
  const unknown = only?.find((name) => !programs.some((program) => program.name === name));
  if (unknown) throw new Error(`there is no program "${unknown}", only ${programsOf(python).map(({ name }) => name)}`);
  const machine = describeMachine();
  console.error(
    `load ${machine.load.toFixed(1)} on ${machine.threads} cores before the start: near 0 is a quiet machine`,
  );
  const suites = [];
  for (const arch of architectures) {
    const count = images ?? IMAGES[arch];
    const files = benchFiles(python, arch, count);
    const { series, skipped } = await runRounds(programs, files, rounds, (line) => console.error(line));
    const rows = rowsOf(series);
    const targets = judge(rows);
    console.log(`\n${arch}, ${count} images, ${rounds} rounds: median (min–max)\n${formatRows(rows)}\n`);
    console.log(formatTargets(targets));
    if (rows.some(({ agrees }) => !agrees)) process.exitCode = 1;
    suites.push({ arch, images: count, rounds, rows, targets, skipped });
  }
  const measured = { date: new Date().toISOString(), machine, versions: versionsWith(python), suites };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(measured, null, 2)}\n`);
}

function versionsWith(python: Python): Record<string, string> {
  const runtime = new URL("../../node_modules/onnxruntime-node/package.json", import.meta.url);
  const { version: session } = JSON.parse(readFileSync(runtime, "utf8"));
  return { collapsar: VERSION, node: process.versions.node, "onnxruntime-node": session, ...python.versions };
}
