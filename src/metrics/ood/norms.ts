import type { Reals } from "../matrix.ts";

/** Returns the squared Euclidean norm of row `i` of rows of `columns` numbers. Four sums are in flight. */
export function squaredNorm(values: Reals, i: number, columns: number): number {
  const end = (i + 1) * columns;
  let at = i * columns;
  let sum = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  for (; at + 3 < end; at += 4) {
    sum += values[at] * values[at];
    sum1 += values[at + 1] * values[at + 1];
    sum2 += values[at + 2] * values[at + 2];
    sum3 += values[at + 3] * values[at + 3];
  }
  for (; at < end; at++) sum += values[at] * values[at];
  return sum + sum1 + (sum2 + sum3);
}

/** Returns the squared Euclidean distance of row `i` of `a` to row `j` of `b`, rows of `columns` numbers. */
export function squaredDistance(a: Float64Array, i: number, b: Float64Array, j: number, columns: number): number {
  const end = (i + 1) * columns;
  const shift = (j - i) * columns;
  let at = i * columns;
  let even = 0;
  let odd = 0;
  for (; at + 1 < end; at += 2) {
    const first = a[at] - b[at + shift];
    const second = a[at + 1] - b[at + 1 + shift];
    even += first * first;
    odd += second * second;
  }
  return at < end ? even + odd + (a[at] - b[at + shift]) ** 2 : even + odd;
}
