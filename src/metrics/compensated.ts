import type { Reals } from "./matrix.ts";

/** Adds `length` numbers of `values` from `from` on to the compensated sums from `to` on (Knuth's TwoSum). */
export function addCompensated(
  sums: Float64Array,
  errors: Float64Array,
  to: number,
  values: Reals,
  from: number,
  length: number,
): void {
  for (let d = 0; d < length; d++) {
    const sum = sums[to + d];
    const value = values[from + d];
    const total = sum + value;
    const added = total - sum;
    errors[to + d] += sum - (total - added) + (value - added);
    sums[to + d] = total;
  }
}
