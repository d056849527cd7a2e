import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { CalibrationReport } from "../../../src/metrics/calibration/calibration.ts";
import type { LabelledLogits } from "../../../src/metrics/calibration/forecasts.ts";
import { gaussians } from "../gaussians.ts";

/** Logits with labels, and what numpy, scikit-learn and scipy say of them: fixtures/calibration/make_calibration.py. */
export interface CalibrationCase {
  readonly name: string;
  readonly classes: number;
  readonly part: LabelledLogits;
  readonly expected: Pick<CalibrationReport, "nll" | "ece" | "adaptive_ece" | "brier" | "bins">;
  /** Of the smallest NLL within the range; null where that is at an end. */
  readonly temperature: number | null;
  readonly ddu_temperature: number;
}

const { cases } = JSON.parse(
  readFileSync(new URL("../../fixtures/calibration/calibration.json", import.meta.url), "utf8"),
) as { cases: readonly (Omit<CalibrationCase, "part"> & { logits: number[]; labels: number[] })[] };

/** Every case of numpy, scikit-learn and scipy. */
export const CASES: readonly CalibrationCase[] = cases.map(({ logits, labels, ...rest }) => ({
  ...rest,
  part: { logits: Float64Array.from(logits), labels: Int32Array.from(labels) },
}));

/** A part with its number of classes. */
export interface Problem extends LabelledLogits {
  readonly logits: Float64Array;
  readonly classes: number;
}

/** Normal logits of any scale, with a margin for the label and some labels changed afterwards. */
export const problems: fc.Arbitrary<Problem> = fc
  .record({
    classes: fc.integer({ min: 2, max: 12 }),
    samples: fc.integer({ min: 5, max: 80 }),
    scale: fc.constantFrom(0.02, 0.3, 1, 4, 25),
    margin: fc.constantFrom(0, 0.5, 1, 2, 5),
    wrong: fc.integer({ min: 0, max: 6 }),
    seed: fc.integer(),
  })
  .map(({ classes, samples, scale, margin, wrong, seed }) => {
    const next = gaussians(seed);
    const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);
    const logits = Float64Array.from({ length: samples * classes }, () => scale * next());
    labels.forEach((label, i) => {
      logits[i * classes + label] += margin * scale;
      if (i < wrong) labels[i] = (label + 1) % classes;
    });
    return { classes, labels, logits };
  });

/** Returns the part with its logits times `factor`. */
export function scaled(problem: Problem, factor: number): Problem {
  return { ...problem, logits: problem.logits.map((z) => z * factor) };
}
