/**
 * The GMM of DDU, ours beside its own code in float64, same features, same threads, interleaved, each in a process of its own:
 *
 *     node bench/metrics/gmm.ts DDU_CHECKOUT [--rounds N] [--python PATH]
 *
 * Prints the seconds of fitting 50,000×512 of 10 classes and of scoring 20,000, from features in memory, and writes
 * bench/results/gmm.json. With `--file F` instead it is one of these processes, ours.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../../src/commands/table.ts";
import { openFile } from "../../src/evaluation/features/bytes.ts";
import { openFeatureFile } from "../../src/evaluation/features/file.ts";
import { fitGmm } from "../../src/metrics/ood/gmm.ts";
import { momentsOf } from "../../src/metrics/ood/moments.ts";
import { type LabelledSet, rowsInMemory } from "../../src/metrics/rows.ts";
import { describeMachine, THREADS } from "../machine.ts";
import { runProgram } from "../process.ts";
import { openPython } from "../python.ts";

const SCORED = 20_000;

interface Run {
  readonly fit: number;
  readonly score: number;
  readonly jitter: number;
  /** Of the scores, to show that both computed the same. */
  readonly mean: number;
  readonly peakMiB: number;
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, python: { type: "string" }, file: { type: "string" } },
});
if (values.file) console.log(JSON.stringify(await ours(values.file)));
else await compare(positionals[0]);

async function ours(path: string): Promise<Run> {
  const file = await openFeatureFile(await openFile(path));
  const classifier = await file.classifier();
  const { features, logits, labels, count } = (await file.set(classifier)) as LabelledSet;
  const train = { features: rowsInMemory(await features.read(0, count), features.columns), logits, labels, count };
  const scored = { ...train, count: SCORED, features: await headOf(train), labels: labels.subarray(0, SCORED) };
  const fitted = async (set: LabelledSet) => fitGmm(set, { moments: await momentsOf(set), classifier });
  await (await fitted(scored)).score(scored); // a service compiles and loads once
  const begun = performance.now();
  const scorer = await fitted(train);
  const fit = (performance.now() - begun) / 1000;
  const scores = await scorer.score(scored);
  const score = (performance.now() - begun) / 1000 - fit;
  const mean = scores.reduce((a, b) => a + b) / SCORED;
  return { fit, score, jitter: scorer.jitter!, mean, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

async function headOf({ features }: LabelledSet) {
  return rowsInMemory(await features.read(0, SCORED), features.columns);
}

async function compare(checkout: string | undefined): Promise<void> {
  if (!checkout || !existsSync(checkout)) {
    console.error("usage: node bench/metrics/gmm.ts DDU_CHECKOUT [--rounds N] [--python PATH]");
    process.exit(2);
  }
  const python = openPython(values.python);
  mkdirSync(here("../.data"), { recursive: true });
  const file = here("../.data/features-50000-512-10.safetensors");
  const shape = ["--n", "50000", "--d", "512", "--c", "10"];
  if (!existsSync(file)) await runProgram([python.path, here("make.py"), ...shape, "--out", file]);
  const peerArgs = ["--checkout", checkout, "--file", file, "--threads", String(THREADS)];
  const rounds: { ours: Run; ddu: Run }[] = [];
  for (let round = 0; round < Number(values.rounds); round++)
    rounds.push({
      ours: await run([process.execPath, here("gmm.ts"), "--file", file]),
      ddu: await run([python.path, here("gmm_peer.py"), ...peerArgs]),
    });
  const ratios = {
    fit: median(rounds.map(({ ours, ddu }) => ddu.fit / ours.fit)),
    score: median(rounds.map(({ ours, ddu }) => ddu.score / ours.score)),
  };
  console.log(
    formatTable(
      [
        { heading: "50,000×512, C=10", align: "left" },
        { heading: "ours s" },
        { heading: "DDU s" },
        { heading: "ratio" },
      ],
      (["fit", "score"] as const).map((part) => [
        part,
        median(rounds.map(({ ours }) => ours[part])).toFixed(3),
        median(rounds.map(({ ddu }) => ddu[part])).toFixed(3),
        ratios[part].toFixed(2),
      ]),
    ),
  );
  const machine = describeMachine();
  const result = { date: new Date().toISOString(), machine, versions: python.versions, ratios, rounds };
  writeFileSync(here("../results/gmm.json"), `${JSON.stringify(result, null, 2)}\n`);
}

async function run(command: [string, ...string[]]): Promise<Run> {
  return (await runProgram(command)).printed as unknown as Run;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}
