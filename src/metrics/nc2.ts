import type { Matrix } from "./matrix.ts";
import { addRow, productWithTransposed, rowNorms, rowProduct, throughUnitRows, unitRows, zeros } from "./matrix.ts";

/** What is this close to a kink of Std or |·| is at it but for the rounding of norms and cosines. */
const KINK = 8 * Number.EPSILON;

/**
 * Returns equinormality (Haas et al., Eq. 4 of centred means, Eq. 5 of classifiers): `Std_c ‖v_c‖ / Avg_c ‖v_c‖` over the
 * rows v_c, at least two and not all zero; Std has Bessel's correction.
 */
export function equinorm(vectors: Matrix): number {
  const { mean, deviation } = normMoments(rowNorms(vectors));
  return deviation / mean;
}

/** Returns the gradient of `equinorm` with respect to `vectors` (none zero); 0 where all norms are equal, a kink. */
export function equinormGradient(vectors: Matrix): Matrix {
  const norms = rowNorms(vectors);
  const { mean, deviation } = normMoments(norms);
  const gradient = zeros(vectors.rows, vectors.columns);
  if (deviation <= KINK * mean) return gradient;
  norms.forEach((norm, c) => {
    const byDeviation = (norm - mean) / (vectors.rows - 1) / deviation / mean;
    const byMean = -deviation / mean ** 2 / vectors.rows;
    addRow(gradient, c, (byDeviation + byMean) / norm, vectors, c);
  });
  return gradient;
}

function normMoments(norms: Float64Array): { mean: number; deviation: number } {
  const mean = norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
  const squares = norms.reduce((sum, norm) => sum + (norm - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (norms.length - 1)) };
}

/**
 * Returns equiangularity (Haas et al., Eq. 6 of centred means, Eq. 7 of classifiers):
 * `Avg_{c≠c'} |cos(v_c, v_c') + 1/(C−1)|` over the rows v_c, at least two and none zero.
 */
export function equiangular(vectors: Matrix): number {
  const units = unitRows(vectors);
  return equiangularOfCosines(productWithTransposed(units, units));
}

/** Returns `equiangular` of vectors whose cosines are known (C×C). */
export function equiangularOfCosines(cosines: Matrix): number {
  const { rows, values } = cosines;
  let sum = 0;
  for (let a = 0; a < rows; a++)
    for (let b = a + 1; b < rows; b++) sum += Math.abs(values[a * rows + b] + 1 / (rows - 1));
  return (2 * sum) / pairs(cosines);
}

/** Returns the gradient of `equiangular` with respect to `vectors`; a pair at its kink adds 0. */
export function equiangularGradient(vectors: Matrix): Matrix {
  const units = unitRows(vectors);
  const byUnits = zeros(vectors.rows, vectors.columns);
  for (let a = 0; a < units.rows; a++)
    for (let b = a + 1; b < units.rows; b++) {
      const excess = rowProduct(units, a, units, b) + 1 / (units.rows - 1);
      if (Math.abs(excess) <= KINK) continue;
      const slope = (2 * Math.sign(excess)) / pairs(vectors);
      addRow(byUnits, a, slope, units, b);
      addRow(byUnits, b, slope, units, a);
    }
  return throughUnitRows(byUnits, vectors);
}

/** Ordered pairs c ≠ c'. */
function pairs({ rows }: Matrix): number {
  return rows * (rows - 1);
}
