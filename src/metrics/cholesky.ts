import type { Matrix } from "./matrix.ts";
import { transposed, zeros } from "./matrix.ts";
import { timesTransposed, transposedTimes } from "./products.ts";

/** Columns that are factored in JavaScript between two products: 2,048×2,048 takes 0.19 s, with 32 and 128 columns 0.25 s. */
const PANEL = 64;

/**
 * Factors a symmetric matrix A (n×n), of which the part above the diagonal is that of `matrix` and the diagonal is
 * `diagonal` (n), as `L Lᵀ`: the rest of `matrix` becomes the lower triangular L, while the part above the diagonal stays,
 * so that another diagonal can be tried. Returns false where A is not positive definite in float64; then L is unfinished.
 * Panels of columns from left to right, each less the product of those before it (Golub and Van Loan 2013, §4.2.6).
 */
export async function factorInPlace(matrix: Matrix, diagonal: Float64Array): Promise<boolean> {
  const { rows: size, values } = matrix;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) values[i * size + j] = values[j * size + i];
    values[i * size + i] = diagonal[i];
  }
  for (let from = 0; from < size; from += PANEL) {
    const to = Math.min(from + PANEL, size);
    if (from > 0) await subtractFactored(matrix, from, to);
    if (!factorPanel(matrix, from, to)) return false;
  }
  return true;
}

/** Takes the product of the columns before `from`, which are factored, off columns `from` to `to`, from the diagonal down. */
async function subtractFactored({ rows: size, values }: Matrix, from: number, to: number): Promise<void> {
  const count = size - from;
  const done = new Float64Array(count * from);
  for (let i = 0; i < count; i++) {
    const row = (from + i) * size;
    done.set(values.subarray(row, row + from), i * from);
  }
  const top = { rows: to - from, columns: from, values: done.subarray(0, (to - from) * from) };
  const product = await timesTransposed({ rows: count, columns: from, values: done }, top);
  for (let i = 0; i < count; i++) {
    const row = (from + i) * size + from;
    for (let j = 0; j <= Math.min(i, to - from - 1); j++) values[row + j] -= product.values[i * (to - from) + j];
  }
}

function factorPanel({ rows: size, values }: Matrix, from: number, to: number): boolean {
  for (let i = from; i < size; i++) {
    const row = i * size;
    for (let j = from; j < Math.min(i, to); j++) {
      const other = j * size;
      let sum = values[row + j];
      for (let k = from; k < j; k++) sum -= values[row + k] * values[other + k];
      values[row + j] = sum / values[other + j];
    }
    if (i >= to) continue;
    let square = values[row + i];
    for (let k = from; k < i; k++) square -= values[row + k] ** 2;
    if (!(square > 0)) return false;
    values[row + i] = Math.sqrt(square);
  }
  return true;
}

/**
 * Returns `L⁻¹` (n×n, zeros above the diagonal) for the lower triangular L that `matrix` holds, without zeros on its
 * diagonal; what is above the diagonal is not read. By halves: `(L⁻¹)₂₁ = −L₂₂⁻¹ L₂₁ L₁₁⁻¹`.
 */
export async function inverseOfLower(matrix: Matrix): Promise<Matrix> {
  const { rows: size } = matrix;
  if (size <= PANEL) return inverseByRows(matrix);
  const half = size >> 1;
  const first = await inverseOfLower(part(matrix, 0, half, 0, half));
  const last = await inverseOfLower(part(matrix, half, size, half, size));
  const below = transposed(part(matrix, half, size, 0, half));
  const corner = await timesTransposed(last, await transposedTimes(first, below));
  const inverse = zeros(size, size);
  for (let i = 0; i < half; i++) inverse.values.set(first.values.subarray(i * half, (i + 1) * half), i * size);
  for (let i = half; i < size; i++) {
    const row = i - half;
    for (let j = 0; j < half; j++) inverse.values[i * size + j] = -corner.values[row * half + j];
    inverse.values.set(last.values.subarray(row * (size - half), (row + 1) * (size - half)), i * size + half);
  }
  return inverse;
}

function inverseByRows({ rows: size, values }: Matrix): Matrix {
  const inverse = zeros(size, size);
  for (let i = 0; i < size; i++) {
    const row = i * size;
    // row i of the inverse is e_i less the rows before it, weighted by row i of the factor
    inverse.values[row + i] = 1;
    for (let k = 0; k < i; k++)
      for (let j = 0; j <= k; j++) inverse.values[row + j] -= values[row + k] * inverse.values[k * size + j];
    for (let j = 0; j <= i; j++) inverse.values[row + j] /= values[row + i];
  }
  return inverse;
}

/** Returns rows `top` to `bottom` of columns `left` to `right`, both ends exclusive, as a matrix of its own. */
function part({ columns, values }: Matrix, top: number, bottom: number, left: number, right: number): Matrix {
  const taken = zeros(bottom - top, right - left);
  for (let i = top; i < bottom; i++)
    taken.values.set(values.subarray(i * columns + left, i * columns + right), (i - top) * taken.columns);
  return taken;
}
