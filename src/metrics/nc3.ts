import type { Matrix } from "./matrix.ts";
import { combination, flattened, rowNorms, throughUnitRows, unitRows } from "./matrix.ts";

/**
 * Returns NC3, self-duality (Haas et al., Eq. 8): `‖W/‖W‖_F − Ṁ/‖Ṁ‖_F‖_F²` for classifier and centred class means of the
 * same shape, neither of them zero.
 */
export function nc3(weight: Matrix, centred: Matrix): number {
  const [byWeight, byCentred] = [weight, centred].map((matrix) => 1 / rowNorms(flattened(matrix))[0]);
  let sum = 0;
  for (let k = 0; k < weight.values.length; k++)
    sum += (weight.values[k] * byWeight - centred.values[k] * byCentred) ** 2;
  return sum;
}

/** Returns the gradient of `nc3` with respect to its first argument; the second's is that of the swapped call. */
export function nc3Gradient(weight: Matrix, centred: Matrix): Matrix {
  const byUnit = combination([2, normalisedDifference(weight, centred)]);
  return { ...weight, values: throughUnitRows(byUnit, flattened(weight)).values };
}

function normalisedDifference(a: Matrix, b: Matrix): Matrix {
  return combination([1, unitRows(flattened(a))], [-1, unitRows(flattened(b))]);
}
