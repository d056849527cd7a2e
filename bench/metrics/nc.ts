import { writeFileSync } from "node:fs";
import { formatTable } from "../../src/commands/table.ts";
import { describeMachine, THREADS } from "../machine.ts";
import { openPython } from "../python.ts";
import { median } from "../spread.ts";
import { featuresFile, here, type MetricsBenchOptions, requireCheckout, run } from "./peer.ts";

/**
 * What is measured, and how often in one process: the first times also compile and fill caches, which a service and a notebook
 * do once, so that the fastest is compared beside the first.
 */
const CASES = [
  { n: 50_000, d: 512, c: 10, repeats: 15 },
  { n: 50_000, d: 512, c: 100, repeats: 15 },
  { n: 100_000, d: 2048, c: 1000, repeats: 3 },
];

/** So many times as fast as neural-collapse, as its examples run it, is what we aim at. */
const TARGET = 5;

/** The batches that neural-collapse's examples collect features in, and the ones it is fastest with of 128 to 5,000. */
const BATCHES = { example: 128, fastest: 1000 };

/** What a process measured, seconds. */
export interface NcRun {
  readonly first: number;
  readonly best: number;
  readonly peakMiB: number;
  readonly values: Readonly<Record<string, number>>;
}

interface Round {
  readonly ours: NcRun;
  /** neural-collapse in the batches of its examples, and in those it is fastest with. */
  readonly peer: NcRun;
  readonly tunedPeer: NcRun;
  /** The same algorithm as ours, without any of what makes ours fast or exact, in numpy. */
  readonly plain: NcRun;
}

type Measured = (typeof CASES)[number] & {
  readonly runs: readonly Round[];
  readonly nc1Off: { readonly ours: number; readonly peer: number };
  readonly float64: NcRun;
};

/**
 * Measures NC1 to NC4 from given features beside rhubarbwu's neural-collapse, in the batches of its examples and in those it is
 * fastest with, and beside the plain algorithm in numpy, same threads, interleaved, each in a process of its own; NC1 of the
 * first two beside theirs in float64. Prints a table and writes the results. The features are made once.
 */
export async function benchCollapse({ checkout, rounds, python: path, out }: MetricsBenchOptions): Promise<void> {
  requireCheckout(checkout, "neural-collapse");
  const python = openPython(path);
  const machine = describeMachine();
  const measured: Measured[] = [];
  for (const { n, d, c, repeats } of CASES) {
    const file = await featuresFile(python, n, d, c);
    const peer = [python.path, here("nc_peer.py"), "--checkout", checkout, "--file", file] as const;
    const program = [...peer, "--threads", String(THREADS)] as const;
    const inBatches = (size: number) => [...program, "--batch", String(size)] as const;
    const plainly = ["env", `OMP_NUM_THREADS=${THREADS}`, python.path, here("nc_plain.py"), "--file", file] as const;
    const runs: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      const ours = await run<NcRun>([process.execPath, here("ncOurs.ts"), file, String(repeats)]);
      const peer = await run<NcRun>([...inBatches(BATCHES.example), "--repeats", String(repeats)]);
      const tunedPeer = await run<NcRun>([...inBatches(BATCHES.fastest), "--repeats", String(repeats)]);
      const plain = await run<NcRun>([...plainly, "--repeats", String(repeats)]);
      runs.push({ ours, peer, tunedPeer, plain });
      const best = [ours, peer, tunedPeer, plain].map(({ best }) => best.toFixed(3));
      const theirs = `theirs ${best[1]} s, in large batches ${best[2]} s`;
      console.error(`${n}×${d}, C=${c}: ours ${best[0]} s, ${theirs}, numpy ${best[3]} s`);
    }
    const float64 = await run<NcRun>([...inBatches(BATCHES.fastest), "--dtype", "float64"]);
    const off = (of: NcRun) => Math.abs(of.values.nc1! / float64.values.nc1! - 1);
    const { ours, peer: theirs } = runs.at(-1)!;
    measured.push({ n, d, c, repeats, runs, nc1Off: { ours: off(ours), peer: off(theirs) }, float64 });
  }
  const middle = (runs: Measured["runs"], of: (round: Round) => number) => median(runs.map(of));
  const headings = [
    "ours",
    "theirs",
    "ratio",
    "ours best",
    "theirs best",
    `ratio (≥ ${TARGET})`,
    `by ${BATCHES.fastest}`,
    "ratio",
    "numpy best",
    "ratio",
    "MiB",
    "NC1 off",
    "theirs",
  ];
  console.log(
    formatTable(
      [{ heading: "features, seconds", align: "left" }, ...headings.map((heading) => ({ heading }))],
      measured.map(({ n, d, c, runs, nc1Off }) => [
        `${n}×${d}, C=${c}`,
        middle(runs, ({ ours }) => ours.first).toFixed(3),
        middle(runs, ({ peer }) => peer.first).toFixed(3),
        middle(runs, ({ ours, peer }) => peer.first / ours.first).toFixed(1),
        middle(runs, ({ ours }) => ours.best).toFixed(3),
        middle(runs, ({ peer }) => peer.best).toFixed(3),
        middle(runs, ({ ours, peer }) => peer.best / ours.best).toFixed(1),
        middle(runs, ({ tunedPeer }) => tunedPeer.best).toFixed(3),
        middle(runs, ({ ours, tunedPeer }) => tunedPeer.best / ours.best).toFixed(1),
        middle(runs, ({ plain }) => plain.best).toFixed(3),
        middle(runs, ({ ours, plain }) => plain.best / ours.best).toFixed(1),
        Math.max(...runs.map(({ ours }) => ours.peakMiB)).toFixed(0),
        nc1Off.ours.toExponential(1),
        nc1Off.peer.toExponential(1),
      ]),
    ),
  );
  const result = { date: new Date().toISOString(), machine, versions: python.versions, measured };
  writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
}
