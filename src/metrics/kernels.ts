import type { Matrix, Reals } from "./matrix.ts";

/** Returns the squared Euclidean distance of feature `i` of `features` (n×D) to row `c` of `rows` (C×D). */
export function squaredDistance({ columns, values }: Matrix, c: number, features: Reals, i: number): number {
  const from = i * columns;
  const to = c * columns;
  let sum = 0;
  for (let d = 0; d < columns; d++) {
    const difference = features[from + d] - values[to + d];
    sum += difference * difference;
  }
  return sum;
}

/**
 * Writes `h_i − μ` for each of n features (n×D) to `residuals` (n×D) and `‖h_i − μ‖²` to `squares` (n), where μ is the row
 * of `references` (R×D) that `rowOf` (n) names.
 */
export function subtractRows(
  features: Reals,
  { columns, values }: Matrix,
  rowOf: Int32Array,
  residuals: Reals,
  squares: Float64Array,
): void {
  for (let i = 0; i < rowOf.length; i++) {
    const from = i * columns;
    const to = rowOf[i] * columns;
    let square = 0;
    for (let d = 0; d < columns; d++) {
      const residual = features[from + d] - values[to + d];
      residuals[from + d] = residual;
      square += residual * residual;
    }
    squares[i] = square;
  }
}

/**
 * Writes the inner product of `vector` (D) with each row of `rows` (R×D) to `products` (R). Four rows at a time keep four sums
 * in flight; past the end the last row is done again.
 */
export function rowProducts(rows: Matrix, vector: Float64Array, products: Float64Array): void {
  const { columns, values } = rows;
  const last = rows.rows - 1;
  for (let r = 0; r <= last; r += 4) {
    const r1 = Math.min(r + 1, last);
    const r2 = Math.min(r + 2, last);
    const r3 = Math.min(r + 3, last);
    const from = r * columns;
    const from1 = r1 * columns;
    const from2 = r2 * columns;
    const from3 = r3 * columns;
    let sum = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let d = 0; d < columns; d++) {
      const x = vector[d];
      sum += x * values[from + d];
      sum1 += x * values[from1 + d];
      sum2 += x * values[from2 + d];
      sum3 += x * values[from3 + d];
    }
    products[r] = sum;
    products[r1] = sum1;
    products[r2] = sum2;
    products[r3] = sum3;
  }
}
