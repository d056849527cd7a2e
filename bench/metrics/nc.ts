import { writeFileSync } from "node:fs";
import { formatTable } from "../../src/commands/table.ts";
import { describeMachine, THREADS } from "../machine.ts";
import { openPython } from "../python.ts";
import { featuresFile, here, type MetricsBenchOptions, median, requireCheckout, run } from "./peer.ts";

/**
 * What is measured, and how often in one process: the first times also load and compile, which a service and a notebook do
 * once, so the fastest is compared.
 */
const CASES = [
  { n: 50_000, d: 512, c: 10, repeats: 15 },
  { n: 50_000, d: 512, c: 100, repeats: 15 },
  { n: 100_000, d: 2048, c: 1000, repeats: 3 },
];

/** So many times as fast as neural-collapse is what we aim at. */
const TARGET = 5;

interface Run {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Measures NC1 to NC4 from given features beside rhubarbwu's neural-collapse, same threads, interleaved, each in a process of
 * its own; NC1 of both beside theirs in float64. Prints a table and writes the results. The features are made once.
 */
export async function benchCollapse({ checkout, rounds, python: path, out }: MetricsBenchOptions): Promise<void> {
  requireCheckout(checkout, "neural-collapse");
  const python = openPython(path);
  const machine = describeMachine();
  const measured = [];
  for (const { n, d, c, repeats } of CASES) {
    const file = await featuresFile(python, n, d, c);
    const peer = [python.path, here("nc_peer.py"), "--checkout", checkout, "--file", file] as const;
    const program = [...peer, "--threads", String(THREADS)] as const;
    const pairs: { ours: Run; peer: Run; ratio: number }[] = [];
    for (let round = 1; round <= rounds; round++) {
      const ours = await run<Run>([process.execPath, here("ncOurs.ts"), file, String(repeats)]);
      const peer = await run<Run>([...program, "--repeats", String(repeats)]);
      pairs.push({ ours, peer, ratio: peer.seconds / ours.seconds });
      console.error(`${n}×${d}, C=${c}: ours ${ours.seconds.toFixed(3)} s, theirs ${peer.seconds.toFixed(3)} s`);
    }
    const float64 = await run<Run>([...program, "--dtype", "float64"]);
    const off = (of: Run) => Math.abs(of.values.nc1! / float64.values.nc1! - 1);
    const { ours, peer: theirs } = pairs.at(-1)!;
    measured.push({ n, d, c, repeats, pairs, nc1Off: { ours: off(ours), peer: off(theirs) }, float64 });
  }
  console.log(
    formatTable(
      [
        { heading: "features", align: "left" },
        ...["ours s", "neural-collapse s", `ratio (≥ ${TARGET})`, "MiB", "NC1 off by", "theirs"].map((heading) => ({
          heading,
        })),
      ],
      measured.map(({ n, d, c, pairs, nc1Off }) => [
        `${n}×${d}, C=${c}`,
        median(pairs.map(({ ours }) => ours.seconds)).toFixed(3),
        median(pairs.map(({ peer }) => peer.seconds)).toFixed(3),
        median(pairs.map(({ ratio }) => ratio)).toFixed(1),
        Math.max(...pairs.map(({ ours }) => ours.peakMiB)).toFixed(0),
        nc1Off.ours.toExponential(1),
        nc1Off.peer.toExponential(1),
      ]),
    ),
  );
  const result = { date: new Date().toISOString(), machine, versions: python.versions, measured };
  writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
}
