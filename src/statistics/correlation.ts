import studentCdf from "@stdlib/stats-base-dists-t-cdf";
import { bootstrapIntervals, type Statistic } from "./bootstrap.ts";
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

/** Values in pairs (x_i, y_i). */
export interface Pairs {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Pearson's correlation, and Spearman's rank correlation: Pearson's of the mid-ranks. */
export interface Coefficients {
  readonly pearson: Correlation;
  readonly spearman: Correlation;
}

/** Returns Pearson's correlation of the pairs (x_i, y_i). */
export function pearson(x: readonly number[], y: readonly number[]): Correlation {
  return withIntervals([ofValues({ x, y })])[0]!;
}

/** Returns Spearman's rank correlation of the pairs (x_i, y_i). */
export function spearman(x: readonly number[], y: readonly number[]): Correlation {
  return withIntervals([ofRanks({ x, y })])[0]!;
}

/** Returns both correlations of each sample, to the last bit as of it alone, in less time. */
export function correlations(samples: readonly Pairs[]): Coefficients[] {
  const found = withIntervals(samples.flatMap((pairs) => [ofValues(pairs), ofRanks(pairs)]));
  return samples.map((_, i) => ({ pearson: found[2 * i]!, spearman: found[2 * i + 1]! }));
}

/** A coefficient before its interval, and the same coefficient of a resample. */
interface Estimate extends Omit<Correlation, "ci95"> {
  readonly n: number;
  readonly resample: Statistic | null;
}

function withIntervals(estimates: readonly Estimate[]): Correlation[] {
  const intervals = new Map<Estimate, Correlation["ci95"]>();
  const defined = estimates.filter(({ resample }) => resample !== null);
  for (const [n, members] of Map.groupBy(defined, (one) => one.n)) {
    const statistics = members.map(({ resample }) => resample!);
    for (const [i, interval] of bootstrapIntervals(n, statistics).entries()) intervals.set(members[i]!, interval);
  }
  return estimates.map((one) => ({ r: one.r, p: one.p, ci95: intervals.get(one) ?? null, reason: one.reason }));
}

function ofValues({ x, y }: Pairs): Estimate {
  return estimate(x, y, (u, v) => (counts) => resampled(u, v, counts));
}

function ofRanks({ x, y }: Pairs): Estimate {
  const [sortedX, sortedY] = [sorted(x), sorted(y)];
  const [ranksX, ranksY] = [midranks(sortedX), midranks(sortedY)];
  return estimate([...ranksX], [...ranksY], () => (counts) => {
    midranks(sortedX, counts, ranksX);
    midranks(sortedY, counts, ranksY);
    return resampled(ranksX, ranksY, counts);
  });
}

function estimate(
  x: readonly number[],
  y: readonly number[],
  resampleOf: (u: Float64Array, v: Float64Array) => Statistic,
): Estimate {
  const n = x.length;
  const without = (reason: string) => ({ n, r: null, p: null, reason, resample: null });
  if (n < 3) return without("fewer than 3 pairs");
  const [u, v] = [unitVector(x), unitVector(y)];
  if (!u || !v) return without(`all values of ${u ? "y" : "x"} are equal`);
  const resample = resampleOf(Float64Array.from(u), Float64Array.from(v));
  return { n, ...coefficient(u, v), reason: null, resample };
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
  if (!varies(x, counts) || !varies(y, counts)) return null;
  const n = x.length;
  let sumX = 0;
  let sumY = 0;
  for (let i = 0; i < n; i++) {
    sumX += counts[i]! * x[i]!;
    sumY += counts[i]! * y[i]!;
  }
  const meanX = sumX / n;
  const meanY = sumY / n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  // a count of 0 adds 0: a branch would be guessed wrong for a third of the pairs, and takes longer
  for (let i = 0; i < n; i++) {
    const dx = x[i]! - meanX;
    const dy = y[i]! - meanY;
    const weighted = counts[i]! * dx;
    xx += weighted * dx;
    yy += counts[i]! * dy * dy;
    xy += weighted * dy;
  }
  if (xx * yy === 0) return null; // what varies by less than 1e-162 of the rest has no square
  return clamp(xy / Math.sqrt(xx * yy));
}

/** Says whether those of the values that were drawn differ: mostly the first two do. */
function varies(values: Float64Array, counts: Uint32Array): boolean {
  let first = 0;
  while (counts[first] === 0) first++;
  for (let i = first + 1; i < values.length; i++) if (counts[i]! > 0 && values[i] !== values[first]) return true;
  return false;
}

/** Rounding takes r beyond ±1 by an ulp. */
function clamp(r: number): number {
  return Math.min(1, Math.max(-1, r));
}
