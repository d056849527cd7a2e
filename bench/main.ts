/**
 * The bench: feature extraction beside PyTorch, OpenVINO and ONNX Runtime on this machine, and with `training` training
 * steps beside PyTorch's; same threads, same weights, same images, interleaved. Prints a table per architecture or case and
 * writes bench/results/inference.json or training.json.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { wholeNumber } from "../src/commands/options.ts";
import { VERSION } from "../src/version.ts";
import { ARCHITECTURES, type Architecture, benchFiles } from "./inference/files.ts";
import { OURS, programsOf } from "./inference/programs.ts";
import { judge, rowsOf } from "./inference/result.ts";
import { runRounds } from "./inference/rounds.ts";
import { formatRows, formatTargets } from "./inference/table.ts";
import { describeMachine } from "./machine.ts";
import { openPython, type Python } from "./python.ts";
import { benchTraining } from "./training/bench.ts";

const results = (name: string) => fileURLToPath(new URL(`results/${name}.json`, import.meta.url));

/** Images per run, unless told otherwise: some 20 s on two cores. */
const IMAGES: Readonly<Record<Architecture, number>> = { resnet18: 1024, resnet50: 512 };

interface Options {
  readonly rounds: number;
  readonly images?: number;
  readonly only?: readonly string[];
  readonly arch: readonly Architecture[];
  readonly python?: string;
  readonly out: string;
}

const names = (text: string) => text.split(",");
const PYTHON = "a Python that has bench/requirements.txt (default: one is made in bench/.venv)";

const program = new Command("npm run bench --").description(
  "Measure ourselves beside other frameworks on this machine.",
);

program
  .command("inference", { isDefault: true })
  .description("feature extraction")
  .option("--rounds <n>", "runs of every program", wholeNumber(1), 5)
  .option("--images <n>", "images per run, a multiple of 256 (default: 1024 for resnet18, 512 for resnet50)", blocks)
  .option("--only <names>", `programs beside ${OURS}, by commas (default: all)`, names)
  .option("--arch <names>", "architectures, by commas", architectures, ARCHITECTURES)
  .option("--python <path>", PYTHON)
  .option("--out <file>", "where the results go", results("inference"))
  .action(bench);

program
  .command("training")
  .description("training steps")
  .option("--rounds <n>", "runs of every program", wholeNumber(1), 5)
  .option("--cases <names>", "such as width64-batch32, by commas; of the others the results stay (default: all)", names)
  .option("--python <path>", PYTHON)
  .option("--out <file>", "where the results go", results("training"))
  .action(benchTraining);

async function bench({ rounds, images, only, arch: architectures, python: path, out }: Options): Promise<void> {
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
  const runtime = new URL("../node_modules/onnxruntime-node/package.json", import.meta.url);
  const { version: session } = JSON.parse(readFileSync(runtime, "utf8"));
  return { collapsar: VERSION, node: process.versions.node, "onnxruntime-node": session, ...python.versions };
}

function blocks(text: string): number {
  const count = wholeNumber(256)(text);
  if (count % 256 !== 0) throw new InvalidArgumentError("expected a multiple of 256, the largest batch.");
  return count;
}

function architectures(text: string): readonly Architecture[] {
  const names = text.split(",");
  const isKnown = (name: string): name is Architecture => (ARCHITECTURES as readonly string[]).includes(name);
  if (names.every(isKnown)) return names;
  throw new InvalidArgumentError(`expected ${ARCHITECTURES.join(", ")}.`);
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
