import { describe, expect, it } from "vitest";
import { argmaxRows } from "../../src/metrics/accuracy.ts";
import { toMatrix } from "../../src/metrics/matrix.ts";
import { nearestClassMeans } from "../../src/metrics/nc4.ts";

describe("a tie", () => {
  it("of logits goes to the lowest class", () => {
    expect([...argmaxRows(Float32Array.of(1, 2, 2, 0, 0, 0, -1, -2, -1), 3)]).toEqual([1, 0, 0]);
  });

  it("of distances goes to the lowest class", () => {
    const means = toMatrix([1, 0, -1, 0, 0, 1, 0, -1, 3, 3], 2);
    const features = Float64Array.of(0, 0, -1, 1, 0.5, -0.5, 3, 3);
    expect([...nearestClassMeans(features, means)]).toEqual([0, 1, 0, 4]);
  });
});
