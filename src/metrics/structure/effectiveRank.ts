import { ZERO_EIGENVALUE } from "../nc1.ts";
import type { Measure } from "./measure.ts";

/**
 * Returns the effective rank (Roy and Vetterli 2007) of a matrix from the eigenvalues of its Gram matrix, in any order: with
 * singular values `σ_k = √λ_k` (those of an eigenvalue that counts as zero are none) and `p_k = σ_k / Σ σ`, the exponential of their entropy, `exp(−Σ p_k ln p_k)`. `what` names the
 * matrix where it is zero.
 */
export function effectiveRank(eigenvalues: Float64Array, what: string): Measure {
  const largest = eigenvalues.reduce((most, value) => Math.max(most, value), 0);
  if (largest === 0) return { reason: `${what} is zero: a non-zero matrix was expected` };
  const singular = eigenvalues.filter((value) => value > ZERO_EIGENVALUE * largest).map(Math.sqrt);
  const total = singular.reduce((sum, value) => sum + value, 0);
  return Math.exp(-singular.reduce((sum, value) => sum + (value / total) * Math.log(value / total), 0));
}
