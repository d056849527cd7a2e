import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankScores } from "../../../src/metrics/ood/detection.ts";
import { scoreHistogram } from "../../../src/metrics/ood/histogram.ts";
import { gaussians } from "../gaussians.ts";
import { sides } from "./cases.ts";

const histogramOf = (id: readonly number[], ood: readonly number[]) =>
  scoreHistogram(rankScores("score", { id: Float64Array.from(id), ood: Float64Array.from(ood) }));

const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);

describe("the histogram of a score", () => {
  it("counts every sample once, in bins between finite bounds", () => {
    fc.assert(
      fc.property(sides, ({ id, ood }) => {
        const { lower, upper, ...counts } = histogramOf(id, ood);
        expect([sum(counts.id), sum(counts.ood)]).toEqual([id.length, ood.length]);
        expect(Number.isFinite(lower) && Number.isFinite(upper) && lower <= upper).toBe(true);
      }),
    );
  });

  it("holds a score in the bin that it lies in, the lowest and the highest in the outermost", () => {
    const middles = Array.from({ length: 50 }, (_, k) => k + 0.5);
    const { lower, upper, id, ood } = histogramOf([0, 25.25, 25.75, 50], middles);
    expect([lower, upper]).toEqual([0, 50]);
    expect([id[0], id[25], id[49], sum(id)]).toEqual([1, 2, 1, 4]);
    expect(ood).toEqual(Array.from({ length: 50 }, () => 1));
  });

  it("is not flattened by a score far out, which counts in the outermost bin", () => {
    const next = gaussians(3);
    const id = Array.from({ length: 999 }, () => next());
    const { lower, upper, id: counts, ood } = histogramOf([...id, -1e9], [1e12]);
    expect(lower).toBeGreaterThan(-4);
    expect(upper).toBeLessThan(4);
    expect([sum(counts), ood.at(-1)]).toEqual([1000, 1]);
  });

  it("is one bin where all scores are the same, and stands the widest range of doubles", () => {
    expect(histogramOf([2, 2], [2])).toEqual({ lower: 2, upper: 2, id: [2], ood: [1] });
    const widest = histogramOf([-Number.MAX_VALUE], [Number.MAX_VALUE]);
    expect([widest.id[0], widest.ood.at(-1)]).toEqual([1, 1]);
  });
});
