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
  const [ranksX, ranksY] = [midranks(sortedX), midranks(sortedY)];
  return correlation([...ranksX], [...ranksY], () => (counts) => {
    midranks(sortedX, counts, ranksX);
    midranks(sortedY, counts, ranksY);
    return resampled(ranksX, ranksY, counts);
  });
}

type Resample = (counts: Uint32Array) => number | null;

function correlation(
  x: readonly number[],
  y: readonly number[],
  resampleOf: (u: Float64Array, v: Float64Array) => Resample,
): Correlation {
  if (x.length < 3) return undefinedCorrelation("fewer than 3 pairs");
  const [u, v] = [unitVector(x), unitVector(y)];
  if (!u || !v) return undefinedCorrelation(`all values of ${u ? "y" : "x"} are equal`);
  const resample = resampleOf(Float64Array.from(u), Float64Array.from(v));
  return { ...coefficient(u, v), ci95: bootstrapInterval(x.length, resample), reason: null };
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

/** Returns Pearson's r of the n pairs, pair i `counts[i]` times, n in all, or null where either side is then constant. */
function resampled(x: Float64Array, y: Float64Array, counts: Uint32Array): number | null {
  const n = x.length;
  const first = counts.findIndex((count) => count > 0);
  let sumX = 0;
  let sumY = 0;
  let variesX = false;
  let variesY = false;
  for (let i = first; i < n; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    sumX += count * x[i]!;
    sumY += count * y[i]!;
    variesX ||= x[i] !== x[first];
    variesY ||= y[i] !== y[first];
  }
  if (!variesX || !variesY) return null;
  const meanX = sumX / n;
  const meanY = sumY / n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = first; i < n; i++) {
    const count = counts[i]!;
    if (count === 0) continue;
    const dx = x[i]! - meanX;
    const dy = y[i]! - meanY;
    xx += count * dx * dx;
    yy += count * dy * dy;
    xy += count * dx * dy;
  }
  if (xx * yy === 0) return null; // what varies by less than 1e-162 of the rest has no square
  return clamp(xy / Math.sqrt(xx * yy));
}

/** Rounding takes r beyond ±1 by an ulp. */
function clamp(r: number): number {
  return Math.min(1, Math.max(-1, r));
}

function undefinedCorrelation(reason: string): Correlation {
  return { r: null, p: null, ci95: null, reason };
}
