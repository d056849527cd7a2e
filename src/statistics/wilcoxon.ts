import normalCdf from "@stdlib/stats-base-dists-normal-cdf";
import { midranks, sorted } from "./ranks.ts";

/** Wilcoxon's signed-rank test of pairs, two-sided. Where it cannot be made, the numbers are null. */
export interface SignedRankTest {
  /** Pairs whose values differ; equal ones are left out, as Wilcoxon did. */
  readonly n: number;
  /** The smaller of the sums of the ranks of |a − b| over the pairs with a > b and with a < b. */
  readonly w: number | null;
  readonly p: number | null;
  /** `exact`: over all 2^n signs; `normal`: the normal approximation, corrected for ties, not for continuity. */
  readonly method: "exact" | "normal" | null;
  /** Why there is no test; null where there is one. */
  readonly reason: string | null;
}

/** Up to so many pairs the distribution is exact, as in `scipy.stats.wilcoxon`: with equal |a − b| or a = b, and without. */
const EXACT = { tied: 13, untied: 50 } as const;

/** Returns Wilcoxon's signed-rank test of the pairs (a_i, b_i); which distribution is taken is scipy's `method="auto"`. */
export function wilcoxonTest(a: readonly number[], b: readonly number[]): SignedRankTest {
  const differences = a.map((value, i) => value - b[i]!).filter((difference) => difference !== 0);
  const n = differences.length;
  if (a.length < 2) return untested(n, "fewer than 2 pairs");
  if (n === 0) return untested(n, "all differences are zero");
  const ranks = midranks(sorted(differences.map(Math.abs)));
  const positive = ranks.reduce((sum, rank, i) => sum + (differences[i]! > 0 ? rank : 0), 0);
  const w = Math.min(positive, (n * (n + 1)) / 2 - positive);
  const areTied = n < a.length || new Set(ranks).size < n;
  const method = a.length <= (areTied ? EXACT.tied : EXACT.untied) ? "exact" : "normal";
  const p = method === "exact" ? exactP(ranks, w) : normalP(ranks, w);
  return { n, w, p, method, reason: null };
}

/**
 * 2 P(W ≤ w) where each rank counts with probability ½: by the number of subsets of the ranks with each sum. Ranks are
 * doubled, for those of ties are halves; the numbers stay below 2^50, so they are exact.
 */
function exactP(ranks: Float64Array, w: number): number {
  const subsets = new Float64Array(2 * w + 1);
  subsets[0] = 1;
  for (const rank of ranks) {
    for (let sum = 2 * w; sum >= 2 * rank; sum--) subsets[sum]! += subsets[sum - 2 * rank]!;
  }
  return Math.min(1, (2 * subsets.reduce((total, count) => total + count, 0)) / 2 ** ranks.length);
}

/** Mean n(n+1)/4 and variance Σ rank²/4, which is n(n+1)(2n+1)/24 less Σ (t³−t)/48 over groups of t ties. */
function normalP(ranks: Float64Array, w: number): number {
  const centre = (ranks.length * (ranks.length + 1)) / 4;
  const variance = ranks.reduce((sum, rank) => sum + rank ** 2, 0) / 4;
  return 2 * normalCdf((w - centre) / Math.sqrt(variance), 0, 1);
}

function untested(n: number, reason: string): SignedRankTest {
  return { n, w: null, p: null, method: null, reason };
}
