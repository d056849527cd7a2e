import { expect, it } from "vitest";
import { compileKernels } from "../../scripts/kernels.ts";
import { ClassSums } from "../../src/metrics/classMeans.ts";
import { subtractRows } from "../../src/metrics/kernels.ts";
import { KERNELS_BASE64 } from "../../src/metrics/wasm/binary.ts";
import { openKernels } from "../../src/metrics/wasm/kernels.ts";
import { gaussians } from "./gaussians.ts";

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

  const [sums, expected] = [new ClassSums(classes, columns, kernels), new ClassSums(classes, columns)];
  sums.add(features, labelsThere);
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
});
