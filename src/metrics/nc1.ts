import { EigenvalueDecomposition, Matrix as SquareMatrix } from "ml-matrix";
import { rowProducts } from "./kernels.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { combination, product, productWithTransposed, scaleRow, transposed, zeros } from "./matrix.ts";

/** An eigenvalue of Σ_B counts as zero at or below this share of the largest. */
export const ZERO_EIGENVALUE = 1e-12;

/** The non-zero part of `ṀᵀṀ = C Σ_B`: eigenvalues, largest first, and unit eigenvectors as rows (rank×D). */
export interface BetweenClassSpectrum {
  readonly rank: number;
  readonly eigenvalues: Float64Array;
  readonly directions: Matrix;
}

/**
 * Returns the spectrum of the centred class means Ṁ (C×D, not all zero) by way of their C×C Gram matrix:
 * `ṀṀᵀ = Q Λ Qᵀ` has the same non-zero eigenvalues, and `u_k = Ṁᵀ q_k / √λ_k` are the eigenvectors. A D×D
 * pseudo-inverse would need a tolerance for D−C+1 eigenvalues that are zero but for rounding.
 */
export function betweenClassSpectrum(centred: Matrix): BetweenClassSpectrum {
  const { rank, eigenvalues, vectors } = gramSpectrum(productWithTransposed(centred, centred));
  const directions = product(vectors, centred);
  for (let k = 0; k < rank; k++) scaleRow(directions, k, 1 / Math.sqrt(eigenvalues[k]));
  return { rank, eigenvalues, directions };
}

/** The non-zero part of a Gram matrix ṀṀᵀ: eigenvalues λ_k, largest first, and unit eigenvectors q_k as rows (rank×C). */
export interface GramSpectrum {
  readonly rank: number;
  readonly eigenvalues: Float64Array;
  readonly vectors: Matrix;
}

/** Returns the spectrum of a Gram matrix (C×C), not all zero. */
export function gramSpectrum({ rows: classes, values }: Matrix): GramSpectrum {
  const gram = SquareMatrix.from1DArray(classes, classes, values);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const sorted = realEigenvalues.map((value, index) => ({ value, index })).sort((a, b) => b.value - a.value);
  const kept = sorted.filter(({ value }) => value > ZERO_EIGENVALUE * sorted[0].value);
  const vectors = zeros(kept.length, classes);
  kept.forEach(({ index }, k) => {
    for (let c = 0; c < classes; c++) vectors.values[k * classes + c] = eigenvectorMatrix.get(c, index);
  });
  const eigenvalues = Float64Array.from(kept, ({ value }) => value);
  return { rank: kept.length, eigenvalues, vectors };
}

/** Sums over samples of `‖h − μ_y‖²` and of `Σ_k (u_k·(h − μ_y))² / λ_k`. */
export interface WithinClassScatter {
  total: number;
  whitened: number;
}

/**
 * Adds the scatter of n samples (features n×D, labels n) about their class means (C×D) to `scatter`, sample by sample, so
 * that the sums depend on the order of the samples alone and not on how they are cut into chunks.
 */
export function addScatter(
  scatter: WithinClassScatter,
  features: Reals,
  labels: Int32Array,
  means: Matrix,
  { rank, eigenvalues, directions }: BetweenClassSpectrum,
): void {
  const { columns } = means;
  const residual = new Float64Array(columns);
  const projections = new Float64Array(rank);
  for (let i = 0; i < labels.length; i++) {
    const from = i * columns;
    const mean = labels[i] * columns;
    let total = 0;
    for (let d = 0; d < columns; d++) {
      residual[d] = features[from + d] - means.values[mean + d];
      total += residual[d] * residual[d];
    }
    rowProducts(directions, residual, projections);
    let whitened = 0;
    for (let k = 0; k < rank; k++) whitened += (projections[k] * projections[k]) / eigenvalues[k];
    scatter.total += total;
    scatter.whitened += whitened;
  }
}

/**
 * Returns NC1, variability collapse (Haas et al., Eq. 3): `Tr(Σ_W Σ_B†)/C = 1/N Σ_i Σ_k (u_k·(h_i − μ_y))² / λ_k`, with
 * λ_k, u_k of `ṀᵀṀ`; the C of `Σ_B = ṀᵀṀ/C` and that of the definition cancel.
 */
export function nc1({ whitened }: WithinClassScatter, samples: number): number {
  return whitened / samples;
}

/** Gradients of NC1 with respect to the residuals `h_i − μ_y` (N×D) and the centred class means Ṁ (C×D). */
export interface Nc1Gradient {
  readonly residuals: Matrix;
  readonly centred: Matrix;
}

/**
 * Returns the gradient of `nc1`, the residuals Δ and the means Ṁ taken as independent. With U (rows u_k) and Λ of `ṀᵀṀ`,
 * `V = Λ⁻¹ U`, `Y = Δ Uᵀ` and `F = Y Λ⁻¹`:
 * `∂/∂Δ = 2/N Y V` and `∂/∂Ṁ = 2/N Ṁ Vᵀ (FᵀΔ − FᵀY U − YᵀY V)`.
 * The second is the derivative of a pseudo-inverse at constant rank (Golub and Pereyra 1973),
 * `−A†SA† + (I−AA†)S(A†)² + (A†)²S(I−AA†)` with A = Σ_B, S = Σ_W, without any of its D×D matrices.
 */
export function nc1Gradient(
  residuals: Matrix,
  centred: Matrix,
  { eigenvalues, directions }: BetweenClassSpectrum,
): Nc1Gradient {
  const shrink = (rows: Matrix) => ({
    ...rows,
    values: rows.values.map((value, k) => value / eigenvalues[Math.floor(k / rows.columns)]),
  });
  const whitened = shrink(directions);
  const projections = productWithTransposed(residuals, directions);
  const across = transposed(projections);
  const slopes = shrink(across);
  const slope = combination(
    [1, product(slopes, residuals)],
    [-1, product(product(slopes, projections), directions)],
    [-1, product(product(across, projections), whitened)],
  );
  const factor = 2 / residuals.rows;
  return {
    residuals: combination([factor, product(projections, whitened)]),
    centred: combination([factor, product(productWithTransposed(centred, whitened), slope)]),
  };
}
