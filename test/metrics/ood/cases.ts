import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { DetectionCurves } from "../../../src/metrics/ood/curves.ts";
import { type Detection, type DetectionScores, detection, rankScores } from "../../../src/metrics/ood/detection.ts";

/** Scores and what scikit-learn says of them: fixtures/detection/make_detection.py. */
export interface DetectionCase {
  readonly name: string;
  readonly id: readonly number[];
  readonly ood: readonly number[];
  readonly expected: Detection;
  /** The areas under precision and recall by trapezoids. */
  readonly trapezoid: Pick<Detection, "aupr_ood" | "aupr_id">;
  readonly curves?: DetectionCurves;
}

/** Every case of scikit-learn. */
export const CASES: readonly DetectionCase[] = JSON.parse(
  readFileSync(new URL("../../fixtures/detection/detection.json", import.meta.url), "utf8"),
).cases;

/** Returns the measures of the scores of both sides. */
export function measuresOf(scores: { readonly [side in keyof DetectionScores]: Iterable<number> }): Detection {
  return detection(rankScores("score", { id: Float64Array.from(scores.id), ood: Float64Array.from(scores.ood) }));
}

const side = fc.oneof(
  fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 }),
  fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 1, maxLength: 40 }),
);

/** Two sides of at least one sample, with and without ties. */
export const sides = fc.record({ id: side, ood: side });
