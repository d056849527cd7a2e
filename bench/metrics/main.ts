/**
 * NC1 to NC4 from given features, ours beside rhubarbwu's neural-collapse, same threads, interleaved, each in a process of its own:
 *
 *     node bench/metrics/main.ts NEURAL_COLLAPSE_CHECKOUT [--rounds N] [--python PATH]
 *
 * Prints a table and writes bench/results/metrics.json. The features are made once, 1.5 GB in bench/.data.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatTable } from "../../src/commands/table.ts";
import { describeMachine, THREADS } from "../machine.ts";
import { runProgram } from "../process.ts";
import { openPython } from "../python.ts";

const CASES = [
  { n: 50_000, d: 512, c: 10 },
  { n: 50_000, d: 512, c: 100 },
  { n: 100_000, d: 2048, c: 1000 },
];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, python: { type: "string" } },
});
const [checkout] = positionals;
if (!checkout || !existsSync(checkout)) {
  console.error("usage: node bench/metrics/main.ts NEURAL_COLLAPSE_CHECKOUT [--rounds N] [--python PATH]");
  process.exit(2);
}
const python = openPython(values.python);
mkdirSync(here("../.data"), { recursive: true });
const measured = [];
for (const { n, d, c } of CASES) {
  const file = here(`../.data/features-${n}-${d}-${c}.safetensors`);
  const shape = ["--n", String(n), "--d", String(d), "--c", String(c)];
  if (!existsSync(file)) await runProgram([python.path, here("make.py"), ...shape, "--out", file]);
  const peerArgs = ["--checkout", checkout, "--file", file, "--threads", String(THREADS)];
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    // the first run in a process also compiles and loads; a service does that once, so the best of three is compared
    const ours = await run([process.execPath, here("ours.ts"), file, "3"]);
    const peer = await run([python.path, here("neural_collapse_peer.py"), ...peerArgs]);
    rounds.push({ ours, peer, ratio: peer.seconds / ours.seconds });
    console.error(`${n}×${d}, C=${c}: ours ${ours.seconds.toFixed(3)} s, neural-collapse ${peer.seconds.toFixed(3)} s`);
  }
  const exact = await run([python.path, here("neural_collapse_peer.py"), ...peerArgs, "--dtype", "float64"]);
  const last = rounds.at(-1)!;
  const off = (of: Run) => Math.abs(of.values.nc1! / exact.values.nc1! - 1);
  measured.push({ n, d, c, rounds, nc1Off: { ours: off(last.ours), peer: off(last.peer) }, float64: exact });
}
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
console.log(
  formatTable(
    [
      { heading: "features", align: "left" },
      ...["ours s", "neural-collapse s", "ratio", "MiB", "NC1 off by", "theirs"].map((heading) => ({ heading })),
    ],
    measured.map(({ n, d, c, rounds, nc1Off }) => [
      `${n}×${d}, C=${c}`,
      median(rounds.map(({ ours }) => ours.seconds)).toFixed(3),
      median(rounds.map(({ peer }) => peer.seconds)).toFixed(3),
      median(rounds.map(({ ratio }) => ratio)).toFixed(1),
      Math.max(...rounds.map(({ ours }) => ours.peakMiB)).toFixed(0),
      nc1Off.ours.toExponential(1),
      nc1Off.peer.toExponential(1),
    ]),
  ),
);
const result = { date: new Date().toISOString(), machine: describeMachine(), versions: python.versions, measured };
writeFileSync(here("../results/metrics.json"), `${JSON.stringify(result, null, 2)}\n`);

interface Run {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly values: Readonly<Record<string, number>>;
}

async function run(command: [string, ...string[]]): Promise<Run> {
  return (await runProgram(command)).printed as unknown as Run;
}
