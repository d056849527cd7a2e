import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import { CollapsarError } from "../errors.ts";

/** A metric over the seeds of a group. Of one value there is no spread: `sd`, `se` and `ci95` are null. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, n−1. */
  readonly sd: number | null;
  /** Standard error of the mean, sd/√n. */
  readonly se: number | null;
  /** Student-t interval of the mean: mean ± t(0.975, n−1)·se. */
  readonly ci95: readonly [low: number, high: number] | null;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Returns the summary of `values`, in any order.
 * @throws CollapsarError `internal` where there are none.
 */
export function summary(values: readonly number[]): Summary {
  const n = values.length;
  if (n === 0) throw new CollapsarError("internal", "a summary needs at least one value");
  const sorted = values.toSorted((a, b) => a - b);
  const mean = sum(values) / n;
  return {
    n,
    mean,
    ...spread(values, mean),
    median: (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2,
    min: sorted[0]!,
    max: sorted[n - 1]!,
  };
}

function spread(values: readonly number[], mean: number): Pick<Summary, "sd" | "se" | "ci95"> {
  const n = values.length;
  if (n === 1) return { sd: null, se: null, ci95: null };
  const sd = Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (n - 1));
  const se = sd / Math.sqrt(n);
  const half = studentQuantile(0.975, n - 1) * se;
  return { sd, se, ci95: [mean - half, mean + half] };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
