import type { Matrix } from "./matrix.ts";

/*
 * The two inner loops that take the time, N·C·D each. Four rows at a time keep four sums in flight: at N = 8,000, D = 512
 * 0.22 s instead of 0.38 s each for 100 rows, 25 ms instead of 34 ms for 10. Past the end the last row is done again.
 */

/** Writes the inner product of `vector` (D) with each row of `rows` (R×D) to `products` (R). */
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

/** Writes the squared Euclidean distance of `vector` (D) to each row of `rows` (R×D) to `distances` (R). */
export function squaredDistances(rows: Matrix, vector: Float64Array, distances: Float64Array): void {
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
      const a = x - values[from + d];
      const b = x - values[from1 + d];
      const c = x - values[from2 + d];
      const e = x - values[from3 + d];
      sum += a * a;
      sum1 += b * b;
      sum2 += c * c;
      sum3 += e * e;
    }
    distances[r] = sum;
    distances[r1] = sum1;
    distances[r2] = sum2;
    distances[r3] = sum3;
  }
}
