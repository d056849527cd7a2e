import { describe, expect, it } from "vitest";
import { rowNorms, toMatrix, unitRows } from "../../../src/metrics/matrix.ts";
import { timesTransposed } from "../../../src/metrics/products.ts";
import { forEachDistance, squaredDifference } from "../../../src/metrics/structure/distances.ts";
import { gaussians } from "../gaussians.ts";

/** Multiples of 2^-20, so that sums of their squares are known exactly. */
const UNIT = 2 ** 20;
const DIMENSIONS = 2048;

describe("the distance of two vectors", () => {
  it.each([1, 1e-1, 1e-2, 3e-3, 1e-4, 1e-8])(
    "is right to 13 digits where they differ by a share of about %d",
    async (share) => {
      const next = gaussians(7);
      const number = () => Math.round(next() * UNIT) / UNIT;
      const first = Array.from({ length: DIMENSIONS }, number);
      const second = first.map((x) => Math.round((x + Math.sqrt(share) * number()) * UNIT) / UNIT);
      const exact = first.reduce((sum, x, d) => sum + BigInt((x - second[d]!) * UNIT) ** 2n, 0n);
      const vectors = toMatrix([...first, ...second], DIMENSIONS);
      const units = unitRows(vectors);
      const cosines = await timesTransposed(units, units);
      const found: number[] = [];
      forEachDistance(
        { norms: rowNorms(vectors), cosines },
        (i, j) => squaredDifference(vectors, 2 * Number.EPSILON, i, j),
        (square) => found.push(square),
      );
      expect(found).toHaveLength(1);
      expect(Math.abs(found[0]! / (Number(exact) / UNIT ** 2) - 1)).toBeLessThan(1e-13);
    },
  );

  it("is 0 for vectors that differ by rounding alone, and not for others", () => {
    const rows = toMatrix([0.1 + 0.2, 1e4, 0.3, 1e4, 0.3, 1e4 + 1e-9], 2);
    expect(squaredDifference(rows, 2 * Number.EPSILON, 0, 1)).toBe(0);
    expect(squaredDifference(rows, 2 * Number.EPSILON, 1, 2)).toBeGreaterThan(0);
  });
});
