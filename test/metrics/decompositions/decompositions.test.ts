import { describe, expect, it } from "vitest";
import { leastNormSolution, spectrumOf } from "../../../src/metrics/decompositions/decompositions.ts";
import { type Matrix, product, productWithTransposed, transposed, zeros } from "../../../src/metrics/matrix.ts";
import { offsetSpectrum } from "../../../src/metrics/ood/offsetSpectrum.ts";
import { relativeDifference } from "../../golden.ts";
import { gaussians } from "../gaussians.ts";

/** Below and above the size from which a thread does it. */
const SIZES = [5, 40, 256];

describe.each(SIZES)("of %d rows", (size) => {
  it("a symmetric matrix is the sum of its eigenvalues times their vectors, the largest first", async () => {
    const matrix = symmetric(size);
    const { values, vectors } = await spectrumOf(matrix);
    expect(values).toEqual(values.toSorted().reverse());
    const scaled = { ...vectors, values: vectors.values.map((value, k) => value * values[Math.floor(k / size)]!) };
    expect(relativeDifference(product(transposed(vectors), scaled).values, matrix.values)).toBeLessThan(1e-13);
    const identity = zeros(size, size).values.map((_, k) => (k % (size + 1) === 0 ? 1 : 0));
    expect(relativeDifference(productWithTransposed(vectors, vectors).values, identity)).toBeLessThan(1e-12);
  });

  it("an offset that is no larger than the matrix gives the spectrum of the sum", async () => {
    const matrix = symmetric(size);
    const offset = random(1, size);
    const sum = { ...matrix, values: matrix.values.map((value, k) => value + outer(offset, k)) };
    const [expected, actual] = [await spectrumOf(sum), await offsetSpectrum(matrix, offset)];
    expect(relativeDifference(actual.values, expected.values)).toBeLessThan(1e-13);
    const projections = (vectors: Matrix) => productWithTransposed(offset, vectors).values.map(Math.abs);
    expect(relativeDifference(projections(actual.vectors), projections(expected.vectors))).toBeLessThan(1e-9);
  });

  it("a solution solves the system, has no part that the matrix does not see, and is found for either shape", async () => {
    for (const [rows, columns] of [
      [size, 2 * size],
      [2 * size, size],
    ] as const) {
      const matrix = random(rows, columns);
      const seen = random(1, rows);
      const solution = { rows: 1, columns, values: product(seen, matrix).values };
      const right = productWithTransposed(solution, matrix).values;
      expect(relativeDifference(await leastNormSolution(matrix, right), solution.values)).toBeLessThan(1e-9);
    }
  });
});

it("without an offset the spectrum is that of the matrix", async () => {
  const matrix = symmetric(6);
  expect(await offsetSpectrum(matrix, zeros(1, 6))).toEqual(await spectrumOf(matrix));
});

it("an offset of a million leaves the other eigenvalues their digits", async () => {
  // diag(1, 2, 3) and an offset along the first axis: 2 and 3 stay, of the sum 1e12 + 1
  const matrix = { rows: 3, columns: 3, values: Float64Array.from([1, 0, 0, 0, 2, 0, 0, 0, 3]) };
  const { values } = await offsetSpectrum(matrix, { rows: 1, columns: 3, values: Float64Array.from([1e6, 0, 0]) });
  expect(relativeDifference(values, [1e12 + 1, 3, 2])).toBeLessThan(1e-15);
  expect(Math.abs(values[1]! - 3)).toBeLessThan(1e-14);
  expect(Math.abs(values[2]! - 2)).toBeLessThan(1e-14);
});

it("a singular value that rounding makes counts as zero", async () => {
  // the rows sum to zero, as those of a collapsed classifier do
  const matrix = { rows: 3, columns: 2, values: Float64Array.from([1, 0, -0.5, 0.75, -0.5, -0.75]) };
  const wide = transposed(matrix);
  expect(
    relativeDifference(await leastNormSolution(wide, Float64Array.from([1.5, 1.125])), [1, 0.25, -1.25]),
  ).toBeLessThan(1e-14);
  const doubled = { rows: 2, columns: 2, values: Float64Array.from([0.1, 0.3, 0.2, 0.6]) };
  expect(relativeDifference(await leastNormSolution(doubled, Float64Array.from([1, 2])), [1, 3])).toBeLessThan(1e-14);
});

it("the caller is not kept waiting by a large matrix", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await spectrumOf(symmetric(300));
  clearInterval(timer);
  expect(turns).toBeGreaterThan(10);
});

function outer({ values }: Matrix, k: number): number {
  return values[k % values.length]! * values[Math.floor(k / values.length)]!;
}

function symmetric(size: number): Matrix {
  const half = random(size, size);
  const mirrored = transposed(half).values;
  const values = half.values.map((value, k) => value + mirrored[k]!);
  return { ...half, values };
}

function random(rows: number, columns: number): Matrix {
  const normal = gaussians(rows + 1000 * columns);
  const matrix = zeros(rows, columns);
  for (let k = 0; k < matrix.values.length; k++) matrix.values[k] = normal();
  return matrix;
}
