import type { Matrix } from "../matrix.ts";
import { rowNorms, rowProduct } from "../matrix.ts";
import { type Measure, zeroVector } from "./measure.ts";

/** Mean and variance over the classes of the cosine between classifier and centred class mean. */
export interface Duality {
  readonly mean: Measure;
  readonly variance: Measure;
}

/**
 * Returns mean and variance (with Bessel's correction) over the classes of `cos(w_c, μ_c − μ_G)`, given W and Ṁ (C×D): the
 * self-duality per class and its uniformity, UNC3 (Wu and Papyan 2024, arXiv 2405.17767).
 */
export function cosineDuality(weight: Matrix, centred: Matrix): Duality {
  const norms = { weight: rowNorms(weight), centred: rowNorms(centred) };
  const zero = norms.weight.findIndex((norm, c) => norm * norms.centred[c] === 0);
  if (zero >= 0) {
    const what = norms.weight[zero] === 0 ? "the row of weight" : "the class mean less the global mean";
    const reason = zeroVector(what, zero);
    return { mean: reason, variance: reason };
  }
  const cosines = norms.weight.map((norm, c) => rowProduct(weight, c, centred, c) / norm / norms.centred[c]);
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
  const squares = cosines.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0);
  return { mean, variance: squares / (cosines.length - 1) };
}
