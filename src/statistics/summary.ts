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
    ...spread(values, mean(values)),
    median: (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2,
    min: sorted[0]!,
    max: sorted[n - 1]!,
  };
}

function spread(values: readonly number[], centre: number): Pick<Summary, "mean" | "sd" | "se" | "ci95"> {
  const n = values.length;
  if (n === 1) return { mean: centre, sd: null, se: null, ci95: null };
  const sd = standardDeviation(values);
  const se = sd / Math.sqrt(n);
  const half = studentQuantile(0.975, n - 1) * se;
  return { mean: centre, sd, se, ci95: [centre - half, centre + half] };
}
