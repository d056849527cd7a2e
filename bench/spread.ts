import { summary } from "../src/statistics/summary.ts";

/** Median, smallest and largest of a figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the spread of one value at least. */
export function spread(values: readonly number[]): Spread {
  const { median, min, max } = summary(values);
  return { median: median!, min: min!, max: max! };
}

/** Returns the median of one value at least. */
export function median(values: readonly number[]): number {
  return spread(values).median;
}

/** Returns the spread of a figure over that of others, both measured in the same rounds. */
export function ratioSpread(values: readonly number[], others: readonly number[]): Spread {
  return spread(values.map((value, round) => value / others[round]!));
}

/** Returns `median (min–max)`. */
export function formatSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
