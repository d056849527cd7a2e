/**
 * The GMM of DDU, ours beside its own code in float64, same threads, interleaved, each in a process of its own:
 *
 *     node bench/metrics/gmm.ts DDU_CHECKOUT [--rounds N] [--python PATH]      (with --file F: ours alone, in this process)
 *
 * Prints the seconds of fitting 50,000×512 of 10 classes and of scoring 20,000, and writes bench/results/gmm.json.
 */
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openFile } from "../../src/evaluation/features/bytes.ts";
import { openFeatureFile } from "../../src/evaluation/features/file.ts";
import { fitGmm } from "../../src/metrics/ood/gmm.ts";
import { momentsOf } from "../../src/metrics/ood/moments.ts";
import { type LabelledSet, rowsInMemory } from "../../src/metrics/rows.ts";
import { describeMachine, THREADS } from "../machine.ts";
import { runProgram } from "../process.ts";
import { openPython } from "../python.ts";

const SCORED = 20_000;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, python: { type: "string" }, file: { type: "string" } },
});
if (values.file) console.log(JSON.stringify(await ours(values.file)));
else await compare(positionals[0]);

async function ours(path: string) {
  const file = await openFeatureFile(await openFile(path));
  const classifier = await file.classifier();
  const { features, logits, labels, count } = (await file.set(classifier)) as LabelledSet;
  // as the peer's, its features are in memory
  const inMemory = rowsInMemory(await features.read(0, count), features.columns);
  const train = { features: inMemory, logits, labels, count };
  const fitted = async (set: LabelledSet) => fitGmm(set, { moments: await momentsOf(set), classifier });
  await fitted({ ...train, count: SCORED, labels: labels.subarray(0, SCORED), features: await head(inMemory) }); // warm
  const begun = performance.now();
  const scorer = await fitted(train);
  const fitEnd = performance.now();
  const scores = await scorer.score({ ...train, count: SCORED, features: await head(inMemory) });
  const scored = performance.now();
  return {
    fit: (fitEnd - begun) / 1000,
    score: (scored - fitEnd) / 1000,
    jitter: scorer.jitter,
    mean: scores.reduce((a, b) => a + b) / SCORED,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}

async function head(rows: LabelledSet["features"]) {
  return rowsInMemory(await rows.read(0, SCORED), rows.columns);
}

async function compare(checkout: string | undefined): Promise<void> {
  if (!checkout || !existsSync(checkout)) throw new Error("usage: node bench/metrics/gmm.ts DDU_CHECKOUT");
  const python = openPython(values.python);
  const file = here("../.data/features-50000-512-10.safetensors");
  const shape = ["--n", "50000", "--d", "512", "--c", "10"];
  if (!existsSync(file)) await runProgram([python.path, here("make.py"), ...shape, "--out", file]);
  const rounds = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const { printed: mine } = await runProgram([process.execPath, here("gmm.ts"), "--file", file]);
    const peerArgs = ["--checkout", checkout, "--file", file, "--threads", String(THREADS)];
    const { printed: peer } = await runProgram([python.path, here("gmm_peer.py"), ...peerArgs]);
    console.log(JSON.stringify({ ours: mine, ddu: peer }));
    rounds.push({ ours: mine, ddu: peer });
  }
  const result = { date: new Date().toISOString(), machine: describeMachine(), versions: python.versions, rounds };
  writeFileSync(here("../results/gmm.json"), `${JSON.stringify(result, null, 2)}\n`);
}
