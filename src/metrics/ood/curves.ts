import type { Ranking } from "../ranking.ts";
import { reversed, total } from "../ranking.ts";

/** A curve of a plot holds at most this many points. */
const MOST_POINTS = 200;

/** False against true positive rate, from (0, 0) to (1, 1), OoD positive; straight between points. */
export interface RocCurve {
  readonly fpr: readonly number[];
  readonly tpr: readonly number[];
}

/** Precision at each recall; recall grows to 1, and precision belongs to the step that ends at its recall. */
export interface PrecisionRecallCurve {
  readonly recall: readonly number[];
  readonly precision: readonly number[];
}

/** The curves of a score, for plots; the measures of `detection` are those of the curves before they are thinned. */
export interface DetectionCurves {
  readonly roc: RocCurve;
  readonly pr_ood: PrecisionRecallCurve;
  readonly pr_id: PrecisionRecallCurve;
}

/** Hits and false alarms at a threshold, as counts. */
interface Step {
  readonly hits: number;
  readonly alarms: number;
}

/** Returns the curves of a ranking that has positives (OoD) and negatives, thinned to at most 200 points each. */
export function detectionCurves(ranking: Ranking): DetectionCurves {
  return {
    roc: rocCurve(thinnedSteps(ranking)),
    pr_ood: precisionRecallCurve(thinnedSteps(ranking)),
    pr_id: precisionRecallCurve(thinnedSteps(reversed(ranking))),
  };
}

function rocCurve(steps: readonly Step[]): RocCurve {
  const { hits: positives, alarms: negatives } = steps.at(-1)!;
  return {
    fpr: [0, ...steps.map(({ alarms }) => alarms / negatives)],
    tpr: [0, ...steps.map(({ hits }) => hits / positives)],
  };
}

function precisionRecallCurve(steps: readonly Step[]): PrecisionRecallCurve {
  const positives = steps.at(-1)!.hits;
  return {
    recall: steps.map(({ hits }) => hits / positives),
    precision: steps.map(({ hits, alarms }) => hits / (hits + alarms)),
  };
}

/**
 * All thresholds where they are fewer than 200. Else the first and the last, and of those between each that is the first
 * in its cell of true plus false positive rate, 197 cells of equal width: what is left out lies within about 0.01 of a
 * point that is kept, along the ROC curve.
 */
function thinnedSteps({ positives, negatives }: Ranking): Step[] {
  const cells = MOST_POINTS - 3; // besides them (0, 0), the first and the last threshold
  const all = { positives: total(positives), negatives: total(negatives) };
  const last = positives.length - 1;
  const steps: Step[] = [];
  let hits = 0;
  let alarms = 0;
  let reached = 0;
  for (let k = 0; k <= last; k++) {
    hits += positives[k];
    alarms += negatives[k];
    const cell = Math.floor(((hits / all.positives + alarms / all.negatives) / 2) * cells);
    if (positives.length < MOST_POINTS || k === 0 || cell > reached || k === last) steps.push({ hits, alarms });
    reached = cell;
  }
  return steps;
}
