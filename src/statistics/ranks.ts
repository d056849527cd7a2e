/** Values in ascending order, equal ones together. */
export interface Sorted {
  /** `order[k]` is the place of the k-th smallest. */
  readonly order: Uint32Array;
  /** Where in the order each run of equal values ends (exclusive). */
  readonly ends: Uint32Array;
}

/** Returns the ascending order of the `values`. */
export function sorted(values: readonly number[]): Sorted {
  const order = Uint32Array.from(values.keys()).sort((i, j) => values[i]! - values[j]!);
  const ends = [...order.keys()].filter((k) => values[order[k]!] !== values[order[k + 1]!]).map((k) => k + 1);
  return { order, ends: Uint32Array.from(ends) };
}

/**
 * Returns the rank of each value, from 1; equal values share the mean of their ranks. With `counts`, value i stands
 * there `counts[i]` times, as in a resample. They are written into `ranks`, where there is such an array already.
 */
export function midranks(
  { order, ends }: Sorted,
  counts?: Uint32Array,
  ranks: Float64Array = new Float64Array(order.length),
): Float64Array {
  let before = 0;
  for (let e = 0, start = 0; e < ends.length; start = ends[e++]!) {
    const end = ends[e]!;
    let tied = 0;
    for (let k = start; k < end; k++) tied += counts ? counts[order[k]!]! : 1;
    const rank = before + (tied + 1) / 2;
    for (let k = start; k < end; k++) ranks[order[k]!] = rank;
    before += tied;
  }
  return ranks;
}
