import { type Ranking, total } from "../ranking.ts";

/** Enough to see the shape of two distributions, few enough to be looked at one by one. */
const BINS = 50;

/** The share of all samples at either end that does not widen the bins: one score far out would leave one bin for all others. */
const BEYOND = 0.005;

/** How many samples have a score in each of some bins of equal width, the lowest first. */
export interface ScoreHistogram {
  readonly lower: number;
  readonly upper: number;
  /** Of the in-distribution samples; the outermost bins hold what lies beyond `lower` and `upper`, too. */
  readonly id: readonly number[];
  readonly ood: readonly number[];
}

/**
 * Returns the histograms of a ranking (OoD positive) over common bins, 50 from the 0.5 % to the 99.5 % quantile of all scores;
 * one bin where these are the same.
 */
export function scoreHistogram({ scores, positives, negatives }: Ranking): ScoreHistogram {
  const beyond = BEYOND * (total(positives) + total(negatives));
  const countAt = (k: number) => positives[k] + negatives[k];
  let top = 0;
  for (let above = countAt(0); above <= beyond; above += countAt(top)) top++;
  let bottom = scores.length - 1;
  for (let below = countAt(bottom); below <= beyond; below += countAt(bottom)) bottom--;
  const [lower, upper] = [scores[bottom], scores[top]];
  const bins = upper > lower ? BINS : 1;
  const id = new Array<number>(bins).fill(0);
  const ood = new Array<number>(bins).fill(0);
  for (const [k, score] of scores.entries()) {
    // halves: the width of the widest range of doubles is beyond them
    const share = bins === 1 ? 0 : (score / 2 - lower / 2) / (upper / 2 - lower / 2);
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(share * bins)));
    id[bin] += negatives[k];
    ood[bin] += positives[k];
  }
  return { lower, upper, id, ood };
}
