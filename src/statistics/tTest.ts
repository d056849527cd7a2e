import studentCdf from "@stdlib/stats-base-dists-t-cdf";
import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import { mean, meanDifference, standardDeviation } from "./moments.ts";

/** A two-sided t test of the difference of two means, a − b. Where it cannot be made, the numbers are null. */
export interface TTest {
  readonly difference: number | null;
  /** Student-t interval of the difference. */
  readonly ci95: readonly [low: number, high: number] | null;
  readonly t: number | null;
  /** Degrees of freedom. */
  readonly df: number | null;
  readonly p: number | null;
  /** Why there is no test; null where there is one. */
  readonly reason: string | null;
}

/**
 * Returns Welch's test of two independent samples: se² = s_a²/n_a + s_b²/n_b, with the degrees of freedom of
 * Welch and Satterthwaite, se⁴ / ((s_a²/n_a)²/(n_a−1) + (s_b²/n_b)²/(n_b−1)).
 */
export function welchTest(a: readonly number[], b: readonly number[]): TTest {
  const difference = a.length > 0 && b.length > 0 ? meanDifference(a, b) : null;
  if (difference === null || a.length < 2 || b.length < 2)
    return untested(difference, "a group has fewer than 2 values");
  const errors = [a, b].map((values) => standardDeviation(values) / Math.sqrt(values.length));
  const error = Math.hypot(...errors);
  if (error === 0) return untested(difference, "neither group varies");
  const [shareA, shareB] = errors.map((part) => (part / error) ** 2);
  const df = 1 / (shareA! ** 2 / (a.length - 1) + shareB! ** 2 / (b.length - 1));
  return tested(difference, error, df);
}

/** Returns the test of the differences a_i − b_i of pairs: se = s/√n, n−1 degrees of freedom. */
export function pairedTest(a: readonly number[], b: readonly number[]): TTest {
  const n = a.length;
  const differences = a.map((value, i) => value - b[i]!);
  const difference = n > 0 ? mean(differences) : null;
  if (difference === null || n < 2) return untested(difference, "fewer than 2 pairs");
  if (areEqual(differences, [...a, ...b])) return untested(difference, "all differences are equal");
  return tested(difference, standardDeviation(differences) / Math.sqrt(n), n - 1);
}

/**
 * Whether `differences` of `values` are equal but for rounding. Decimal numbers become doubles and are subtracted with
 * an error of at most 2^-51 of the largest: 0.3 − 0.1 and 0.4 − 0.2 differ, and would be "significant" with t = 1e16.
 */
function areEqual(differences: readonly number[], values: readonly number[]): boolean {
  const [least, most] = extremes(differences);
  const [low, high] = extremes(values);
  return most - least <= 2 ** -50 * Math.max(Math.abs(low), Math.abs(high));
}

function extremes(values: readonly number[]): [least: number, most: number] {
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  return [least, most];
}

function tested(difference: number, error: number, df: number): TTest {
  const t = difference / error;
  const half = studentQuantile(0.975, df) * error;
  const ci95 = [difference - half, difference + half] as const;
  return { difference, ci95, t, df, p: 2 * studentCdf(-Math.abs(t), df), reason: null };
}

function untested(difference: number | null, reason: string): TTest {
  return { difference, ci95: null, t: null, df: null, p: null, reason };
}
