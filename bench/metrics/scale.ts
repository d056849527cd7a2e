import { writeFileSync } from "node:fs";
import { formatTable } from "../../src/commands/table.ts";
import { describeMachine } from "../machine.ts";
import { openPython } from "../python.ts";
import type { NcRun } from "./nc.ts";
import { featuresFile, here, run } from "./peer.ts";

/** As many as ImageNet's training set has, of ResNet50's width. */
const LARGEST = { n: 1_281_167, d: 2048, c: 1000 };
const SIZES = [100_000, 200_000, 400_000, 800_000, LARGEST.n];

/**
 * Measures NC1 to NC4 of the first N features of a file of 15.6 GB, each size in a process of its own, and fits `a + b N` to
 * the times. Prints a table and writes the results. The file is made once.
 */
export async function benchScale({ python: path, out }: { readonly python?: string; readonly out: string }) {
  const python = openPython(path);
  const machine = describeMachine();
  const file = await featuresFile(python, LARGEST.n, LARGEST.d, LARGEST.c);
  const runs: { samples: number; seconds: number; peakMiB: number }[] = [];
  for (const samples of SIZES) {
    const measured = await run<NcRun>([process.execPath, here("ncOurs.ts"), file, "1", String(samples)]);
    runs.push({ samples, seconds: measured.first, peakMiB: measured.peakMiB });
    console.error(`${samples} samples: ${measured.first.toFixed(1)} s`);
  }
  const fit = line(runs.map(({ samples, seconds }) => [samples, seconds]));
  console.log(
    formatTable(
      ["samples", "seconds", "fitted", "MiB"].map((heading) => ({ heading })),
      runs.map(({ samples, seconds, peakMiB }) => [
        String(samples),
        seconds.toFixed(2),
        (fit.intercept + fit.slope * samples).toFixed(2),
        peakMiB.toFixed(0),
      ]),
    ),
  );
  console.log(
    `${(fit.slope * 1e6).toFixed(1)} s per million and ${fit.intercept.toFixed(2)} s, R² ${fit.r2.toFixed(5)}`,
  );
  writeFileSync(
    out,
    `${JSON.stringify({ date: new Date().toISOString(), machine, ...LARGEST, runs, fit }, null, 2)}\n`,
  );
}

/** The line of least squares. */
function line(points: readonly (readonly [x: number, y: number])[]) {
  const mean = (pick: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [x, y] = [mean((point) => point[0]), mean((point) => point[1])];
  const covariance = mean((point) => (point[0] - x) * (point[1] - y));
  const variance = mean((point) => (point[0] - x) ** 2);
  const slope = covariance / variance;
  return { slope, intercept: y - slope * x, r2: covariance ** 2 / variance / mean((point) => (point[1] - y) ** 2) };
}
