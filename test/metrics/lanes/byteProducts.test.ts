import { expect, it } from "vitest";
import { bytesOfProducts, FIRST_BYTE_ERROR, openByteProducts } from "../../../src/metrics/lanes/byteProducts.ts";
import { precisionFor } from "../../../src/metrics/scatter.ts";
import { HAS_TILES } from "../../../src/metrics/tiles.ts";
import { openKernels } from "../../../src/metrics/wasm/kernels.ts";
import { gaussians } from "../gaussians.ts";

/** On other processors sums of two products may not fit 16 bits; what is multiplied there is never split. */
const shapes = HAS_TILES
  ? ([
      [37, 31, 5, 9],
      [64, 300, 40, 40],
      [3, 16, 1, 2],
    ] as const)
  : [];

it.each(shapes)(
  "%d rows of %d numbers have the products of float64 but for the rounding told",
  async (rows, columns, rank, classes) => {
    const next = gaussians(columns);
    const matrix = (count: number) => ({
      rows: count,
      columns,
      // of very different sizes, and one row of zeros
      values: Float64Array.from(
        { length: count * columns },
        (_, k) => next() * 10 ** (Math.floor(k / columns) % 5) * (k < columns ? 0 : 1),
      ),
    });
    const [given, exact, rough] = [matrix(rows), matrix(rank), matrix(classes)];
    const kernels = openKernels(bytesOfProducts(rows, rank, classes, columns) + 4 * rows * (columns + rank + classes));
    const values = kernels.float32(rows * columns);
    values.set(given.values);
    const products = { exact: kernels.float32(rows * rank), rough: kernels.float32(rows * classes) };
    const multiplied = await openByteProducts(kernels, rows, exact, rough);
    const largest = await multiplied.of(values, products);
    multiplied.release();

    const row = (matrix: ArrayLike<number>, i: number) =>
      Array.from({ length: columns }, (_, d) => matrix[i * columns + d]!);
    const norm = (x: readonly number[]) => Math.hypot(...x);
    const product = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, d) => sum + value * y[d]!, 0);
    for (let i = 0; i < rows; i++) {
      const x = row(values, i);
      expect(largest[i]).toBeCloseTo(Math.max(...x.map(Math.abs)), 5);
      for (let k = 0; k < rank; k++) {
        const a = row(exact.values, k);
        const off = Math.abs(products.exact[i * rank + k]! - product(x, a));
        expect(off).toBeLessThanOrEqual(2e-6 * norm(x) * norm(a));
      }
      const lacking = largest[i]! * FIRST_BYTE_ERROR * Math.sqrt(columns);
      for (let c = 0; c < classes; c++) {
        const m = row(rough.values, c);
        const bound = lacking * norm(m) + multiplied.roughError * (norm(x) + lacking) + 1e-6 * norm(x) * norm(m);
        expect(Math.abs(products.rough[i * classes + c]! - product(x, m))).toBeLessThanOrEqual(bound);
      }
    }
  },
);

it("they are taken where the processor has instructions for them", () => {
  expect(precisionFor(100_000, { rows: 999, columns: 2048 })).toBe(HAS_TILES ? "bytes" : "float32");
});
