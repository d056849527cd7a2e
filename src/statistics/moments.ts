/**
 * Returns the mean of `values`, of which there is at least one: the sum over their number, then corrected by the mean of
 * what remains, so that the mean of equal values is exactly their value.
 */
export function mean(values: readonly number[]): number {
  const estimate = meanFrom(0, values);
  return estimate + meanFrom(estimate, values);
}

/** Returns mean(a) − mean(b), each taken from the same origin, so that values far from zero lose no digits. */
export function meanDifference(a: readonly number[], b: readonly number[]): number {
  return meanFrom(a[0]!, a) - meanFrom(a[0]!, b);
}

function meanFrom(origin: number, values: readonly number[]): number {
  return sum(values.map((value) => value - origin)) / values.length;
}

/**
 * Returns the sample standard deviation (n−1) of at least two `values`, exactly 0 where all are equal. The deviations
 * are squared relative to a power of two near the largest: no square overflows or vanishes, and no digit changes.
 */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value - centre));
  if (largest === 0) return 0;
  const scale = 2 ** Math.floor(Math.log2(largest));
  let squares = 0;
  for (const value of values) squares += ((value - centre) / scale) ** 2;
  return scale * Math.sqrt(squares / (values.length - 1));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
