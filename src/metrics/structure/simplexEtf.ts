import type { Matrix } from "../matrix.ts";
import type { Measure } from "./measure.ts";

/**
 * Returns how far the products of two sets of C vectors (C×C) are from those of a simplex equiangular tight frame,
 * `‖G/‖G‖_F − (I − 11ᵀ/C)/√(C−1)‖_F` (Kothapalli 2023, arXiv 2206.04041, after Zhu et al. 2021): of the means with themselves,
 * G = ṀṀᵀ; of the classifiers, WWᵀ; of both, WṀᵀ, their self-duality. `what` names G where it is zero.
 */
export function simplexEtfError({ rows: classes, values }: Matrix, what: string): Measure {
  const norm = Math.sqrt(values.reduce((sum, product) => sum + product * product, 0));
  if (norm === 0) return { reason: `${what} is zero: a non-zero matrix was expected` };
  const offDiagonal = -1 / classes / Math.sqrt(classes - 1);
  const diagonal = Math.sqrt(classes - 1) / classes;
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    const ideal = k % (classes + 1) === 0 ? diagonal : offDiagonal;
    sum += (values[k] / norm - ideal) ** 2;
  }
  return Math.sqrt(sum);
}
