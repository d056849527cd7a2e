/** Values in ascending order: `order[k]` is the place of the k-th smallest. */
export interface Sorted {
  readonly values: readonly number[];
  readonly order: readonly number[];
}

/** Returns the `values` with their ascending order. */
export function sorted(values: readonly number[]): Sorted {
  return { values, order: [...values.keys()].sort((i, j) => values[i]! - values[j]!) };
}

/**
 * Returns the rank of each value, from 1; equal values share the mean of their ranks. With `counts`, value i stands
 * there `counts[i]` times, as in a resample. They are written into `ranks`, where there is such an array already.
 */
export function midranks(
  { values, order }: Sorted,
  counts?: ArrayLike<number>,
  ranks: Float64Array = new Float64Array(values.length),
): Float64Array {
  let before = 0;
  for (let start = 0, end = 0; start < order.length; start = end) {
    let tied = 0;
    for (end = start; end < order.length && values[order[end]!] === values[order[start]!]; end++)
      tied += counts ? counts[order[end]!]! : 1;
    for (let k = start; k < end; k++) ranks[order[k]!] = before + (tied + 1) / 2;
    before += tied;
  }
  return ranks;
}
