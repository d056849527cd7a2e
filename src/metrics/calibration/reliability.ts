import { rank } from "../ranking.ts";
import type { Forecasts } from "./forecasts.ts";

type Confidences = Pick<Forecasts, "confidences" | "hits">;

/** The number of bins of Guo et al. (2017) and of DDU. */
const BINS = 15;

/** Samples of like confidence; what an empty bin has no mean of is null. */
export interface ReliabilityBin {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  /** Mean of `max_c p_c`. */
  readonly confidence: number | null;
  /** Share of samples whose prediction is their label. */
  readonly accuracy: number | null;
}

/** Sums over the samples of each bin. */
interface Tally {
  count: number;
  confidence: number;
  hits: number;
}

const emptyTallies = (): Tally[] => Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, hits: 0 }));

/** Returns 15 bins of equal width: bin k holds the confidences in `(k/15, (k+1)/15]` (Guo et al. 2017). */
export function equalWidthBins({ confidences, hits }: Confidences): ReliabilityBin[] {
  const tallies = emptyTallies();
  for (let i = 0; i < hits.length; i++) {
    const tally = tallies[Math.ceil(confidences[i] * BINS) - 1];
    tally.count++;
    tally.confidence += confidences[i];
    tally.hits += hits[i];
  }
  return tallies.map((tally, k) => toBin(tally, k / BINS, (k + 1) / BINS));
}

/**
 * Returns bins of equal count: the samples by confidence, lowest first, cut into 15 of sizes that differ by at most one, the
 * larger first (Nguyen and O'Connor 2015; the cut is that of numpy's `array_split`). Where a cut falls among samples of
 * the same confidence, each counts as the share of them that is right, so that no order of the samples changes a bin:
 * the confidences of a collapsed network are exactly 1 by the hundred. Bounds are the smallest and largest
 * confidence in the bin; fewer than 15 samples give one bin each.
 */
export function equalCountBins({ confidences, hits }: Confidences): ReliabilityBin[] {
  const right = confidences.filter((_, i) => hits[i] === 1);
  const wrong = confidences.filter((_, i) => hits[i] === 0);
  const { scores, positives, negatives } = rank(right, wrong);
  const tallies = emptyTallies();
  const lower: number[] = [];
  const upper: number[] = [];
  const sizeOf = (k: number) => Math.floor(hits.length / BINS) + (k < hits.length % BINS ? 1 : 0);
  let bin = 0;
  for (let k = scores.length - 1; k >= 0; k--) {
    const tied = positives[k] + negatives[k];
    for (let left = tied; left > 0; ) {
      const tally = tallies[bin];
      const taken = Math.min(left, sizeOf(bin) - tally.count);
      tally.count += taken;
      tally.confidence += taken * scores[k];
      tally.hits += (taken * positives[k]) / tied;
      lower[bin] ??= scores[k];
      upper[bin] = scores[k];
      left -= taken;
      if (tally.count === sizeOf(bin)) bin++;
    }
  }
  return tallies.slice(0, lower.length).map((tally, k) => toBin(tally, lower[k], upper[k]));
}

function toBin({ count, confidence, hits }: Tally, lower: number, upper: number): ReliabilityBin {
  const mean = (sum: number) => (count === 0 ? null : sum / count);
  return { lower, upper, count, confidence: mean(confidence), accuracy: mean(hits) };
}

/**
 * Returns the expected calibration error of bins that hold at least one sample: `Σ_k n_k/n |accuracy_k − confidence_k|`
 * (Naeini et al. 2015). Of `equalWidthBins` it is ECE, of `equalCountBins` adaptive ECE.
 */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  let error = 0;
  let samples = 0;
  for (const { count, confidence, accuracy } of bins) {
    samples += count;
    if (confidence !== null && accuracy !== null) error += count * Math.abs(accuracy - confidence);
  }
  return error / samples;
}
