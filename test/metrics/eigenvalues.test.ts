import fc from "fast-check";
import { EigenvalueDecomposition, Matrix as SquareMatrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { symmetricEigenvalues } from "../../src/metrics/eigenvalues.ts";
import { productWithTransposed, toMatrix } from "../../src/metrics/matrix.ts";
import { gaussians } from "./gaussians.ts";

/** Expects the same eigenvalues in any order, to 1e-13 of the largest: what backward stable algorithms agree to. */
function expectEigenvalues(actual: Float64Array, expected: ArrayLike<number>): void {
  const inOrder = (values: ArrayLike<number>) => Float64Array.from(values).sort();
  const largest = Math.max(...Array.from(expected, Math.abs), Number.MIN_VALUE);
  expect(actual).toHaveLength(expected.length);
  inOrder(actual).forEach((value, k) => {
    expect(Math.abs(value - inOrder(expected)[k]!)).toBeLessThanOrEqual(1e-13 * largest);
  });
}

describe("eigenvalues of a symmetric matrix", () => {
  it("are those of ml-matrix for Gram matrices of any rank", () => {
    const shape = fc.record({ rows: fc.integer({ min: 1, max: 30 }), columns: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(shape, fc.integer(), ({ rows, columns }, seed) => {
        const factor = toMatrix(Float64Array.from({ length: rows * columns }, gaussians(seed)), columns);
        const { values } = productWithTransposed(factor, factor);
        const { realEigenvalues } = new EigenvalueDecomposition(SquareMatrix.from1DArray(rows, rows, values), {
          assumeSymmetric: true,
        });
        expectEigenvalues(symmetricEigenvalues(toMatrix(values, rows)), realEigenvalues);
      }),
    );
  });

  it.each([
    ["one number", [5], [5]],
    ["zeros", new Array(9).fill(0), [0, 0, 0]],
    ["a diagonal", [3, 0, 0, 0, -1, 0, 0, 0, 2], [3, -1, 2]],
    ["one direction, thrice", new Array(9).fill(1), [3, 0, 0]],
    ["blocks that fall apart", [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 2, 0], [1, -1, 2, -2]],
    ["a simplex", [2, -1, -1, -1, 2, -1, -1, -1, 2], [3, 3, 0]],
    ["far apart numbers", [1e8, 0, 1, 0, 1e-8, 0, 1, 0, 1e-8], [1e8, 1e-8, 0]],
  ])("are exact for %s", (_, values, expected) => {
    expectEigenvalues(symmetricEigenvalues(toMatrix(values, Math.sqrt(values.length))), expected);
  });

  it("leave the matrix as it was", () => {
    const matrix = toMatrix([2, 1, 0, 1, 2, 1, 0, 1, 2], 3);
    symmetricEigenvalues(matrix);
    expect([...matrix.values]).toEqual([2, 1, 0, 1, 2, 1, 0, 1, 2]);
  });
});
