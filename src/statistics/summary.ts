import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import { mean, standardDeviation } from "./moments.ts";

/** A metric over the seeds of a group. Of one value there is no spread, of none there is nothing: what is not defined is null. */
export interface Summary {
  readonly n: number;
  readonly mean: number | null;
  /** Sample standard deviation, n−1. */
  readonly sd: number | null;
  /** Standard error of the mean, sd/√n. */
  readonly se: number | null;
  /** Student-t interval of the mean: mean ± t(0.975, n−1)·se. */
  readonly ci95: readonly [low: number, high: number] | null;
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

const EMPTY = { n: 0, mean: null, sd: null, se: null, ci95: null, median: null, min: null, max: null } as const;

/** Returns the summary of `values`, in any order. */
export function summary(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) return EMPTY;
  const sorted = values.toSorted((a, b) => a - b);
  return {
    n,
    ...spread(values),
    median: (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2,
    min: sorted[0]!,
    max: sorted[n - 1]!,
  };
}

/**
 * Returns of at least one value the mean, and of two or more the sample standard deviation (n−1), the standard error and the
 * 95 % Student-t interval of the mean.
 */
export function spread(values: readonly number[]): Pick<Summary, "sd" | "se" | "ci95"> & { readonly mean: number } {
  const n = values.length;
  const centre = mean(values);
  if (n === 1) return { mean: centre, sd: null, se: null, ci95: null };
  const sd = standardDeviation(values);
  const se = sd / Math.sqrt(n);
  const half = halfWidth(n - 1) * se;
  return { mean: centre, sd, se, ci95: [centre - half, centre + half] };
}

const halfWidths = new Map<number, number>();

/** Returns t(0.975, df). It is found by iteration, which for every epoch of a trajectory takes longer than all else. */
function halfWidth(df: number): number {
  const known = halfWidths.get(df) ?? studentQuantile(0.975, df);
  halfWidths.set(df, known);
  return known;
}
