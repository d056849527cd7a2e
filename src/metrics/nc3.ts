import type { Matrix } from "./matrix.ts";
import { combination, flattened, throughUnitRows, unitRows } from "./matrix.ts";

/**
 * Returns NC3, self-duality (Haas et al., Eq. 8): `‖W/‖W‖_F − Ṁ/‖Ṁ‖_F‖_F²` for classifier and centred class means of the
 * same shape, neither of them zero.
 */
export function nc3(weight: Matrix, centred: Matrix): number {
  return normalisedDifference(weight, centred).values.reduce((sum, difference) => sum + difference ** 2, 0);
}

/** Returns the gradient of `nc3` with respect to its first argument; the second's is that of the swapped call. */
export function nc3Gradient(weight: Matrix, centred: Matrix): Matrix {
  const byUnit = combination([2, normalisedDifference(weight, centred)]);
  return { ...weight, values: throughUnitRows(byUnit, flattened(weight)).values };
}

function normalisedDifference(a: Matrix, b: Matrix): Matrix {
  return combination([1, unitRows(flattened(a))], [-1, unitRows(flattened(b))]);
}
