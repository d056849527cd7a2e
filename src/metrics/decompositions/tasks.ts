import { EigenvalueDecomposition, SingularValueDecomposition, Matrix as SquareMatrix } from "ml-matrix";
import type { Matrix } from "../matrix.ts";
import { zeros } from "../matrix.ts";

/** Eigenvalues of a symmetric matrix (n), largest first, and unit eigenvectors as rows (n×n). */
export interface Spectrum {
  readonly values: Float64Array;
  readonly vectors: Matrix;
}

function spectrum(matrix: Matrix): Spectrum {
  const { rows: size } = matrix;
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(ofLibrary(matrix), {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b] - realEigenvalues[a]);
  const vectors = zeros(size, size);
  for (let d = 0; d < size; d++) {
    const row = eigenvectorMatrix.getRow(d);
    for (let k = 0; k < size; k++) vectors.values[k * size + d] = row[order[k]];
  }
  return { values: Float64Array.from(order, (k) => realEigenvalues[k]), vectors };
}

function leastNormSolution(matrix: Matrix, right: Float64Array): Float64Array {
  const { rows, columns } = matrix;
  const {
    diagonal,
    leftSingularVectors: left,
    rightSingularVectors: rightVectors,
  } = new SingularValueDecomposition(ofLibrary(matrix), { autoTranspose: true });
  const zero = Math.max(rows, columns) * Number.EPSILON * diagonal[0];
  const solution = new Float64Array(columns);
  for (let k = 0; k < Math.min(rows, columns) && diagonal[k] > zero; k++) {
    let share = 0;
    for (let i = 0; i < rows; i++) share += left.get(i, k) * right[i];
    for (let d = 0; d < columns; d++) solution[d] += (share / diagonal[k]) * rightVectors.get(d, k);
  }
  return solution;
}

function ofLibrary({ rows, columns, values }: Matrix): SquareMatrix {
  return SquareMatrix.from1DArray(rows, columns, values);
}

/** What a thread can be asked for. */
export const TASKS = { spectrum, leastNormSolution };
export type Tasks = typeof TASKS;
