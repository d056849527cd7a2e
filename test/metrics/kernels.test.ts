import { expect, it } from "vitest";
import { compileKernels } from "../../scripts/kernels.ts";
import { ClassSums } from "../../src/metrics/classMeans.ts";
import { subtractRows } from "../../src/metrics/kernels.ts";
import { KERNELS_BASE64 } from "../../src/metrics/wasm/binary.ts";
import { openKernels } from "../../src/metrics/wasm/kernels.ts";
import { gaussians } from "./gaussians.ts";

type Numbers = Float32Array | Float64Array | Int32Array;

/** Puts numbers into the memory of kernels. */
function put<T extends Numbers>(room: T, numbers: ArrayLike<number>): T {
  room.set(numbers);
  return room;
}

it("the compiled kernels are those of the text", async () => {
  expect(Buffer.from(await compileKernels()).toString("base64")).toBe(KERNELS_BASE64);
});

// widths around the four numbers that are taken at a time
it.each([1, 3, 4, 5, 8, 31])("the kernels give what JavaScript gives for rows of %d", (columns) => {
  const [rows, classes] = [37, 5];
  const next = gaussians(columns);
  const values = Float32Array.from({ length: rows * columns }, () => 1e4 + next());
  const labels = Int32Array.from({ length: rows }, (_, i) => (i * 3) % classes);
  const kernels = openKernels(64 * rows * columns + 4096);
  const memory = kernels.bytes(4 * values.length);
  const features = new Float32Array(memory.buffer as ArrayBuffer, memory.byteOffset, values.length);
  features.set(values);
  const labelsThere = kernels.int32(rows);
  labelsThere.set(labels);

  // classes of fours and of single ones, out of order
  const order = put(
    kernels.int32(rows),
    Int32Array.from(labels.keys()).sort((a, b) => labels[b]! - labels[a]!),
  );
  const part = { sums: kernels.float64(classes * columns), errors: kernels.float64(classes * columns) };
  kernels.addRows(features, labelsThere, order, part.sums, part.errors);
  const [sums, expected] = [new ClassSums(classes, columns), new ClassSums(classes, columns)];
  sums.addParts(labels, [part]);
  expected.add(values, labels);
  const means = expected.means();
  expect(sums.means().values).toEqual(means.values);

  const references = kernels.float64(classes * columns);
  references.set(means.values);
  const residuals = kernels.float64(rows * columns);
  const squares = kernels.float64(rows);
  kernels.subtractRows(features, labelsThere, references, residuals, squares);
  const [plain, plainSquares] = [new Float64Array(rows * columns), new Float64Array(rows)];
  subtractRows(values, means, labels, plain, plainSquares);
  expect([...residuals]).toEqual([...plain]);
  squares.forEach((square, i) => {
    expect(Math.abs(square / plainSquares[i]! - 1)).toBeLessThan(1e-14); // summed in another order
  });

  const rounded = kernels.float32(rows * columns);
  kernels.subtractRows(features, labelsThere, references, rounded, squares);
  expect([...rounded]).toEqual([...new Float32Array(plain)]);
  const projected = kernels.float32(rows * columns);
  kernels.roundRows(residuals, projected, squares);
  expect([...projected]).toEqual([...rounded]);
  squares.forEach((square, i) => {
    expect(Math.abs(square / plainSquares[i]! - 1)).toBeLessThan(1e-14);
  });
  kernels.squareRows(rounded, squares);
  for (let i = 0; i < rows; i++) {
    const row = rounded.subarray(i * columns, (i + 1) * columns);
    const square = row.reduce((sum, x) => sum + x * x, 0);
    expect(Math.abs(squares[i]! / square - 1)).toBeLessThan(1e-14);
  }
});

it.each([1, 3, 4, 5, 8, 31])(
  "the largest of %d numbers is the first of equal ones, and what is not finite is seen",
  (columns) => {
    const rows = 40;
    const next = gaussians(columns);
    const kernels = openKernels(4 * rows * (columns + 1) + 64);
    const values = put(
      kernels.float32(rows * columns),
      Float32Array.from({ length: rows * columns }, () => Math.round(next())),
    );
    const largest = kernels.int32(rows);
    expect(kernels.argmaxRows(values, largest)).toBe(-1);
    const rowOf = (i: number) => [...values.subarray(i * columns, (i + 1) * columns)];
    expect([...largest]).toEqual(Array.from({ length: rows }, (_, i) => rowOf(i).indexOf(Math.max(...rowOf(i)))));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      for (const place of [0, columns - 1]) {
        const before = values[7 * columns + place]!;
        values[7 * columns + place] = value;
        expect(kernels.argmaxRows(values, largest)).toBe(7);
        values[7 * columns + place] = before;
      }
  },
);

it.each([1, 2, 4, 7, 33])("the nearest of %d classes comes with the number of those within the margin", (classes) => {
  const [rows, origins] = [50, 3];
  const next = gaussians(classes);
  const numbers = (length: number) => Float32Array.from({ length }, () => next());
  const kernels = openKernels(4 * ((rows + origins) * classes + 4 * rows) + 256);
  const given = numbers(rows * classes);
  const products = put(kernels.float32(given.length), given);
  const offsets = put(kernels.float32(origins * classes), numbers(origins * classes));
  const rowOf = put(
    kernels.int32(rows),
    Int32Array.from({ length: rows }, (_, i) => i % origins),
  );
  const margins = put(
    kernels.float32(rows),
    Float32Array.from({ length: rows }, () => Math.abs(next())),
  );
  const [nearest, candidates] = [kernels.int32(rows), kernels.int32(rows)];
  kernels.nearestRows(products, rowOf, offsets, margins, nearest, candidates);
  for (let i = 0; i < rows; i++) {
    const scores = Array.from({ length: classes }, (_, c) =>
      Math.fround(given[i * classes + c]! + offsets[rowOf[i]! * classes + c]!),
    );
    const best = Math.max(...scores);
    expect(nearest[i]).toBe(scores.indexOf(best));
    expect(candidates[i]).toBe(scores.filter((score) => score >= Math.fround(best - margins[i]!)).length);
    expect([...products.subarray(i * classes, (i + 1) * classes)]).toEqual(scores);
  }
});

it("memory that is released is used again, by whoever fits into it", () => {
  const first = openKernels(3 * 2 ** 20);
  const { buffer } = first.float64(8);
  first.release();
  expect(openKernels(2 ** 20).float64(8).buffer).toBe(buffer);
  expect(openKernels(2 ** 20).float64(8).buffer).not.toBe(buffer);
});
