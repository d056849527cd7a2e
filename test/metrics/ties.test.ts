import { describe, expect, it } from "vitest";
import { argmaxRows } from "../../src/metrics/accuracy.ts";
import { centredMeans } from "../../src/metrics/classMeans.ts";
import { classSpace } from "../../src/metrics/classSpace.ts";
import { toMatrix } from "../../src/metrics/matrix.ts";
import { rowsInMemory } from "../../src/metrics/rows.ts";
import { nearestMeans } from "../../src/metrics/scatter.ts";
import { gaussians } from "./gaussians.ts";

const nearestTo = async (features: Float64Array, values: readonly number[], dimensions: number) => {
  const means = toMatrix(values, dimensions);
  return [...(await nearestMeans(rowsInMemory(features, dimensions), await classSpace(means, centredMeans(means))))];
};

describe("a tie", () => {
  it("of logits goes to the lowest class", () => {
    expect([...argmaxRows(Float32Array.of(1, 2, 2, 0, 0, 0, -1, -2, -1), 3)]).toEqual([1, 0, 0]);
  });

  it("of distances goes to the lowest class", async () => {
    const features = Float64Array.of(0, 0, -1, 1, 0.5, -0.5, 3, 3);
    expect(await nearestTo(features, [1, 0, -1, 0, 0, 1, 0, -1, 3, 3], 2)).toEqual([0, 1, 0, 4]);
  });

  it("of equal means goes to the lowest class, also where their space has no more than one dimension", async () => {
    expect(await nearestTo(Float64Array.of(2, 5, -3, 5, 0.1, 4), [1, 5, -1, 5, 1, 5, -1, 5], 2)).toEqual([0, 1, 0]);
  });

  it("that float32 sees and float64 does not is decided by float64", async () => {
    // thousands of samples that are nearer to one of two means by 1e-9 of their distance
    const next = gaussians(1);
    const means = [0, 0, 0, 1, 1, 0, 5, 5, 5];
    const features = Float64Array.from({ length: 3 * 4000 }, () => next());
    const towards = Int32Array.from({ length: 4000 }, (_, i) => i % 2);
    for (let i = 0; i < 4000; i++) {
      const [x, y, z] = features.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
      // onto the plane between the first two means, then a little towards one of them
      const beyond = (x + y - 1) / 2 - (towards[i] === 1 ? 1e-9 : -1e-9);
      features.set([x - beyond, y - beyond, -Math.abs(z)], 3 * i);
    }
    expect(await nearestTo(features, means, 3)).toEqual([...towards]);
  });
});
