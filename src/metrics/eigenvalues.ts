import type { Matrix } from "./matrix.ts";
import { type Kernels, openKernels } from "./wasm/kernels.ts";

/**
 * Returns the eigenvalues of a symmetric matrix (n×n), in no order: reduction to a tridiagonal matrix by Householder's
 * reflections, then the QL algorithm with implicit shifts (Martin, Reinsch and Wilkinson 1968; Dubrulle 1970). Without
 * eigenvectors that is a quarter of the work of a decomposition: at n = 1,000 0.15 s, where ml-matrix takes 1.3 s.
 */
export function symmetricEigenvalues(matrix: Matrix): Float64Array {
  return diagonalise(tridiagonalise(matrix));
}

/** A symmetric tridiagonal matrix: its diagonal (n) and the entries below it (n, the last one 0). */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly below: Float64Array;
}

function tridiagonalise({ rows: size, values }: Matrix): Tridiagonal {
  const kernels = openKernels(8 * (values.length + 2 * size));
  const matrix = kernels.float64(values.length);
  matrix.set(values);
  const work = { kernels, matrix, size, u: kernels.float64(size), q: kernels.float64(size) };
  const diagonal = new Float64Array(size);
  const below = new Float64Array(size);
  for (let i = size - 1; i > 0; i--) {
    diagonal[i] = matrix[i * size + i];
    below[i - 1] = reflect(work, i);
  }
  diagonal[0] = matrix[0];
  kernels.release();
  return { diagonal, below };
}

/** The matrix (its lower triangle) and room for two vectors, in the memory of the kernels. */
interface Reduction {
  readonly kernels: Kernels;
  readonly matrix: Float64Array;
  readonly size: number;
  readonly u: Float64Array;
  readonly q: Float64Array;
}

/**
 * Replaces the leading i×i part A of the matrix by `H A H`, where `H = I − u uᵀ/h` takes row i left of the diagonal to a
 * multiple of the last unit vector; returns that multiple.
 */
function reflect({ kernels, matrix, size, ...room }: Reduction, i: number): number {
  const u = room.u.subarray(0, i);
  u.set(matrix.subarray(i * size, i * size + i));
  const square = u.reduce((sum, x) => sum + x * x, 0);
  const last = u[i - 1];
  if (square === last * last) return last;
  const multiple = last > 0 ? -Math.sqrt(square) : Math.sqrt(square);
  const h = square - last * multiple;
  u[i - 1] = last - multiple;

  // H A H = A − u qᵀ − q uᵀ with p = A u/h and q = p − (uᵀp/2h) u
  const q = room.q.subarray(0, i);
  kernels.symmetricProduct(matrix, size, u, q);
  const share = q.reduce((sum, x, r) => sum + x * u[r], 0) / (2 * h * h);
  for (let r = 0; r < i; r++) q[r] = q[r] / h - share * u[r];
  kernels.subtractProducts(matrix, size, u, q);
  return multiple;
}

function diagonalise({ diagonal, below }: Tridiagonal): Float64Array {
  for (let first = 0; first < diagonal.length; first++)
    for (let end = blockEnd(diagonal, below, first); end > first; end = blockEnd(diagonal, below, first))
      sweep(diagonal, below, first, end);
  return diagonal;
}

/** Returns the last row of the block that begins at row `first`: the entry below it is zero beside its neighbours. */
function blockEnd(diagonal: Float64Array, below: Float64Array, first: number): number {
  let end = first;
  while (
    end < diagonal.length - 1 &&
    Math.abs(below[end]) > Number.EPSILON * (Math.abs(diagonal[end]) + Math.abs(diagonal[end + 1]))
  )
    end++;
  return end;
}

/** One QL sweep of rotations from row `end` up to row `first`, shifted by an eigenvalue of the leading 2×2 matrix. */
function sweep(diagonal: Float64Array, below: Float64Array, first: number, end: number): void {
  const half = (diagonal[first + 1] - diagonal[first]) / (2 * below[first]);
  const root = Math.sqrt(half * half + 1);
  let g = diagonal[end] - diagonal[first] + below[first] / (half + (half < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = end - 1; i >= first; i--) {
    const f = sine * below[i];
    const b = cosine * below[i];
    const length = Math.sqrt(f * f + g * g);
    below[i + 1] = length;
    if (length === 0) {
      // the block falls apart here; the next sweep goes on with the part that begins at `first`
      diagonal[i + 1] -= shift;
      below[end] = 0;
      return;
    }
    sine = f / length;
    cosine = g / length;
    g = diagonal[i + 1] - shift;
    const r = (diagonal[i] - g) * sine + 2 * cosine * b;
    shift = sine * r;
    diagonal[i + 1] = g + shift;
    g = cosine * r - b;
  }
  diagonal[first] -= shift;
  below[first] = g;
  below[end] = 0;
}
