import { writeFileSync } from "node:fs";
import { formatTable } from "../../src/commands/table.ts";
import { describeMachine, THREADS } from "../machine.ts";
import { openPython } from "../python.ts";
import { median } from "../spread.ts";
import { featuresFile, here, type MetricsBenchOptions, requireCheckout, run } from "./peer.ts";

/** What a process measured. */
export interface GmmRun {
  /** Seconds. */
  readonly fit: number;
  readonly score: number;
  readonly jitter: number;
  /** Of the scores, to show that both computed the same. */
  readonly mean: number;
  readonly peakMiB: number;
}

/**
 * Measures fit and scores of the GMM beside DDU's own code in float64, same features (50,000×512 of 10 classes, 20,000
 * scored), same threads, interleaved, each in a process of its own. Prints a table and writes the results.
 */
export async function benchGmm({ checkout, rounds: count, python: path, out }: MetricsBenchOptions): Promise<void> {
  requireCheckout(checkout, "DDU");
  const python = openPython(path);
  const file = await featuresFile(python, 50_000, 512, 10);
  const peerArgs = ["--checkout", checkout, "--file", file, "--threads", String(THREADS)];
  const rounds: { ours: GmmRun; ddu: GmmRun }[] = [];
  for (let round = 0; round < count; round++)
    rounds.push({
      ours: await run([process.execPath, here("gmmOurs.ts"), file]),
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
  const result = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions: python.versions,
    ratios,
    rounds,
  };
  writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
}
