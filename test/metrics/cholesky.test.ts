import { describe, expect, it } from "vitest";
import { factorInPlace, inverseOfLower } from "../../src/metrics/cholesky.ts";
import { type Matrix, product, productWithTransposed, zeros } from "../../src/metrics/matrix.ts";
import { relativeDifference } from "../golden.ts";
import { gaussians } from "./gaussians.ts";

/** Within a panel, about its edges, and over several of them. */
const SIZES = [1, 2, 63, 64, 65, 130, 200];

describe.each(SIZES)("of %d rows", (size) => {
  it("a positive definite matrix is the product of its factor with its transpose", async () => {
    const matrix = positiveDefinite(size, size + 20);
    const factor = copyOf(matrix);
    expect(await factorInPlace(factor, diagonalOf(matrix))).toBe(true);
    const lower = lowerOf(factor);
    expect(relativeDifference(productWithTransposed(lower, lower).values, matrix.values)).toBeLessThan(1e-13);
  });

  it("another diagonal can be tried on the same memory", async () => {
    const matrix = positiveDefinite(size, size + 20);
    const [once, twice] = [copyOf(matrix), copyOf(matrix)];
    const diagonal = diagonalOf(matrix).map((value) => value + 0.5);
    await factorInPlace(twice, diagonalOf(matrix));
    expect(await factorInPlace(twice, diagonal)).toBe(true);
    await factorInPlace(once, diagonal);
    expect(twice).toEqual(once);
  });

  it("a singular matrix has no factor, and one with a share of the identity", async () => {
    const matrix = positiveDefinite(size, Math.floor(size / 2));
    expect(await factorInPlace(copyOf(matrix), diagonalOf(matrix))).toBe(false);
    expect(
      await factorInPlace(
        copyOf(matrix),
        diagonalOf(matrix).map((value) => value + 1e-6 * size),
      ),
    ).toBe(true);
  });

  it("the inverse of a factor times the factor is the identity, with zeros above the diagonal", async () => {
    const matrix = positiveDefinite(size, size + 20);
    await factorInPlace(matrix, diagonalOf(matrix));
    const inverse = await inverseOfLower(matrix);
    expect(inverse.values.every((value, k) => k % size <= Math.floor(k / size) || value === 0)).toBe(true);
    const identity = zeros(size, size).values.map((_, k) => (k % (size + 1) === 0 ? 1 : 0));
    expect(relativeDifference(product(inverse, lowerOf(matrix)).values, identity)).toBeLessThan(1e-12);
  });
});

it("a matrix with NaN has no factor", async () => {
  const matrix = positiveDefinite(70, 90);
  matrix.values[69] = Number.NaN;
  expect(await factorInPlace(matrix, diagonalOf(matrix))).toBe(false);
});

/** `XᵀX` of that rank at most. */
function positiveDefinite(size: number, rank: number): Matrix {
  const normal = gaussians(size + 1000 * rank);
  const x = zeros(size, rank);
  for (let k = 0; k < x.values.length; k++) x.values[k] = normal();
  return productWithTransposed(x, x);
}

function lowerOf({ rows, columns, values }: Matrix): Matrix {
  return { rows, columns, values: values.map((value, k) => (k % columns <= Math.floor(k / columns) ? value : 0)) };
}

function diagonalOf({ rows, values }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, d) => values[d * rows + d]!);
}

function copyOf(matrix: Matrix): Matrix {
  // only what is on and above the diagonal is read
  const { rows: size } = matrix;
  return { ...matrix, values: matrix.values.map((value, k) => (k % size < Math.floor(k / size) ? 7 : value)) };
}
