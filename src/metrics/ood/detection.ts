import { CollapsarError } from "../../errors.ts";
import type { Ranking } from "../ranking.ts";
import { rank, reversed, total } from "../ranking.ts";

/** One score of in-distribution and of OoD samples; higher means more out-of-distribution. */
export interface DetectionScores {
  readonly id: Float64Array;
  readonly ood: Float64Array;
}

/** How well a score tells OoD from in-distribution samples. */
export interface Detection {
  readonly auroc: number;
  readonly aupr_ood: number;
  readonly aupr_id: number;
  readonly fpr95: number;
  readonly fpr95_id_positive: number;
}

/**
 * Returns the ranking of the samples by a score, with the OoD samples as positives, for `detection` and
 * `detectionCurves`. `name` names the score in errors.
 * @throws CollapsarError `too-few-samples` that names the empty side; `non-finite-score` that names the sample: an
 *   infinite score is refused too, since it comes of an overflow and ranks nothing.
 */
export function rankScores(name: string, { id, ood }: DetectionScores): Ranking {
  requireScores(name, id, "in-distribution");
  requireScores(name, ood, "OoD");
  return rank(ood, id);
}

function requireScores(name: string, scores: Float64Array, side: string): void {
  if (scores.length === 0)
    throw new CollapsarError("too-few-samples", `${name}: there are 0 ${side} samples, expected at least 1`);
  const at = scores.findIndex((score) => !Number.isFinite(score));
  if (at < 0) return;
  throw new CollapsarError(
    "non-finite-score",
    `${name} of ${side} sample ${at} is ${scores[at]}: a finite number was expected`,
  );
}

/**
 * Returns the measures of a ranking that has positives (OoD) and negatives (in-distribution). With either kind as the
 * positive one: `aupr_*` is average precision, `fpr95` the false positive rate at 95 % true positives.
 */
export function detection(ranking: Ranking): Detection {
  const idPositive = reversed(ranking);
  return {
    auroc: areaUnderRoc(ranking),
    aupr_ood: averagePrecision(ranking),
    aupr_id: averagePrecision(idPositive),
    fpr95: falsePositiveRateAt95(ranking),
    fpr95_id_positive: falsePositiveRateAt95(idPositive),
  };
}

/**
 * The share of pairs of a positive and a negative of which the positive scores higher, ties counted half (Mann and
 * Whitney's U; Hanley and McNeil 1982). Twice the number of pairs is summed in whole numbers: it is exact below 2^53.
 */
function areaUnderRoc({ positives, negatives }: Ranking): number {
  let above = 0;
  let twicePairs = 0;
  for (let k = 0; k < positives.length; k++) {
    twicePairs += negatives[k] * (2 * above + positives[k]);
    above += positives[k];
  }
  return twicePairs / (2 * above * total(negatives));
}

/**
 * Average precision, `Σ_k (R_k − R_{k−1}) P_k` over the distinct scores as thresholds, the highest first, with recall R
 * and precision P: the step sum, not the area by trapezoids, which joins points that no threshold reaches (Davis and Goadrich 2006).
 */
function averagePrecision({ positives, negatives }: Ranking): number {
  let hits = 0;
  let alarms = 0;
  let sum = 0;
  for (let k = 0; k < positives.length; k++) {
    hits += positives[k];
    alarms += negatives[k];
    sum += positives[k] * (hits / (hits + alarms));
  }
  return sum / hits;
}

/**
 * The share of negatives at or above the highest threshold that at least 95 % of the positives reach; no interpolation.
 * Counted as `20 hits ≥ 19 positives`, in whole numbers: 0.95 itself is no float64.
 */
function falsePositiveRateAt95({ positives, negatives }: Ranking): number {
  const enough = 19 * total(positives);
  let hits = 0;
  let alarms = 0;
  for (let k = 0; 20 * hits < enough; k++) {
    hits += positives[k];
    alarms += negatives[k];
  }
  return alarms / total(negatives);
}
