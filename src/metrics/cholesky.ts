/**
 * Returns the lower factor L (D×D, row-major) of `A + jitter·I = L Lᵀ` for a symmetric A, or null where that is not positive
 * definite in float64. Both loops run along rows, which lie together in memory.
 */
export function cholesky(matrix: Float64Array, dimensions: number, jitter = 0): Float64Array | null {
  const factor = new Float64Array(matrix.length);
  for (let i = 0; i < dimensions; i++) {
    const row = i * dimensions;
    for (let j = 0; j <= i; j++) {
      const other = j * dimensions;
      let sum = matrix[row + j] + (i === j ? jitter : 0);
      for (let k = 0; k < j; k++) sum -= factor[row + k] * factor[other + k];
      if (i !== j) factor[row + j] = sum / factor[other + j];
      else if (sum > 0) factor[row + j] = Math.sqrt(sum);
      else return null;
    }
  }
  return factor;
}

/** Returns the inverse of a lower triangular matrix (D×D, row-major) without zeros on its diagonal. */
export function inverseOfLower(factor: Float64Array, dimensions: number): Float64Array {
  const inverse = new Float64Array(factor.length);
  for (let i = 0; i < dimensions; i++) {
    const row = i * dimensions;
    // row i of the inverse is e_i less the rows before it, weighted by row i of the factor
    for (let k = 0; k < i; k++) {
      const weight = factor[row + k];
      const before = k * dimensions;
      for (let j = 0; j <= k; j++) inverse[row + j] -= weight * inverse[before + j];
    }
    inverse[row + i] = 1;
    const diagonal = factor[row + i];
    for (let j = 0; j <= i; j++) inverse[row + j] /= diagonal;
  }
  return inverse;
}

/** Returns `Σ_i log L_ii`: half the logarithm of the determinant of `L Lᵀ`. */
export function halfLogDeterminant(factor: Float64Array, dimensions: number): number {
  let sum = 0;
  for (let i = 0; i < dimensions; i++) sum += Math.log(factor[i * dimensions + i]);
  return sum;
}
