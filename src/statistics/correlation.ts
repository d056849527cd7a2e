import studentCdf from "@stdlib/stats-base-dists-t-cdf";
import { bootstrapInterval } from "./bootstrap.ts";
import { mean } from "./moments.ts";
import { midranks, sorted } from "./ranks.ts";

/** A correlation coefficient. Where it is not defined, the numbers are null. */
export interface Correlation {
  readonly r: number | null;
  /** Two-sided, of t = r·√((n−2)/(1−r²)) with n−2 degrees of freedom. */
  readonly p: number | null;
  /** Percentile bootstrap over the pairs. */
  readonly ci95: readonly [low: number, high: number] | null;
  /** Why there is no coefficient; null where there is one. */
  readonly reason: string | null;
}

/** Returns Pearson's correlation of the pairs (x_i, y_i). */
export function pearson(x: readonly number[], y: readonly number[]): Correlation {
  return correlation(x, y, (u, v) => (counts) => resampled(u, v, counts));
}

/** Returns Spearman's rank correlation of the pairs (x_i, y_i): Pearson's of their mid-ranks. */
export function spearman(x: readonly number[], y: readonly number[]): Correlation {
  const [sortedX, sortedY] = [sorted(x), sorted(y)];
  return correlation(
    midranks(sortedX),
    midranks(sortedY),
    () => (counts) => resampled(midranks(sortedX, counts), midranks(sortedY, counts), counts),
  );
}

type Resample = (counts: ArrayLike<number>) => number | null;

function correlation(
  x: readonly number[],
  y: readonly number[],
  resampleOf: (u: readonly number[], v: readonly number[]) => Resample,
): Correlation {
  if (x.length < 3) return undefinedCorrelation("fewer than 3 pairs");
  const [u, v] = [unitVector(x), unitVector(y)];
  if (!u || !v) return undefinedCorrelation(`all values of ${u ? "y" : "x"} are equal`);
  return { ...coefficient(u, v), ci95: bootstrapInterval(x.length, resampleOf(u, v)), reason: null };
}

/**
 * Of unit vectors 1−r = ‖u−v‖²/2 and 1+r = ‖u+v‖²/2: near ±1 these keep the digits of 1−r², and so of p, that r itself
 * has lost.
 */
function coefficient(u: readonly number[], v: readonly number[]): { r: number; p: number } {
  const below = u.reduce((sum, value, i) => sum + (value - v[i]!) ** 2, 0) / 2;
  const above = u.reduce((sum, value, i) => sum + (value + v[i]!) ** 2, 0) / 2;
  const r = (above - below) / 2;
  const df = u.length - 2;
  const t = r * Math.sqrt(df / (below * above));
  return { r: clamp(r), p: 2 * studentCdf(-Math.abs(t), df) };
}

/** Returns the centred values over their norm, or null where all are equal. */
function unitVector(values: readonly number[]): number[] | null {
  const centre = mean(values);
  const deviations = values.map((value) => value - centre);
  const scale = deviations.reduce((largest, deviation) => Math.max(largest, Math.abs(deviation)), 0);
  if (scale === 0) return null;
  const scaled = deviations.map((deviation) => deviation / scale);
  const norm = Math.sqrt(scaled.reduce((sum, value) => sum + value ** 2, 0));
  return scaled.map((value) => value / norm);
}

/** Returns Pearson's r of the pairs, pair i `counts[i]` times, or null where either side is then constant. */
function resampled(x: readonly number[], y: readonly number[], counts: ArrayLike<number>): number | null {
  const [a, b] = [weighted(x, counts), weighted(y, counts)];
  if (!a.varies || !b.varies) return null;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - a.mean, y[i]! - b.mean];
    xx += counts[i]! * dx * dx;
    yy += counts[i]! * dy * dy;
    xy += counts[i]! * dx * dy;
  }
  if (xx * yy === 0) return null; // what varies by less than 1e-162 of the rest has no square
  return clamp(xy / Math.sqrt(xx * yy));
}

function weighted(values: readonly number[], counts: ArrayLike<number>): { mean: number; varies: boolean } {
  let [total, sum] = [0, 0];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    if (counts[i] === 0) continue;
    total += counts[i]!;
    sum += counts[i]! * values[i]!;
    least = Math.min(least, values[i]!);
    most = Math.max(most, values[i]!);
  }
  return { mean: sum / total, varies: least < most };
}

/** Rounding takes r beyond ±1 by an ulp. */
function clamp(r: number): number {
  return Math.min(1, Math.max(-1, r));
}

function undefinedCorrelation(reason: string): Correlation {
  return { r: null, p: null, ci95: null, reason };
}
