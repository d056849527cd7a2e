import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calibrationError, equalCountBins, equalWidthBins } from "../../../src/metrics/calibration/reliability.ts";

/** Samples as pairs of a confidence and whether the prediction is right. */
function samples(pairs: readonly (readonly [confidence: number, hit: boolean])[]) {
  return {
    confidences: Float64Array.from(pairs, ([confidence]) => confidence),
    hits: Uint8Array.from(pairs, ([, hit]) => Number(hit)),
  };
}

const confidence = fc.oneof(
  fc.double({ min: 0.01, max: 1, noNaN: true }),
  fc.integer({ min: 1, max: 15 }).map((k) => k / 15),
  fc.constant(1),
);
const judged = fc.array(fc.tuple(confidence, fc.boolean()), { minLength: 1, maxLength: 90 });

describe("bins of equal width", () => {
  it("hold their upper bound and not their lower one", () => {
    const bins = equalWidthBins(samples(Array.from({ length: 15 }, (_, k) => [(k + 1) / 15, true] as const)));
    bins.forEach(({ lower, upper, count, confidence, accuracy }, k) => {
      expect({ lower, upper, count, confidence, accuracy }).toEqual({
        lower: k / 15,
        upper: (k + 1) / 15,
        count: 1,
        confidence: (k + 1) / 15,
        accuracy: 1,
      });
    });
  });

  it("hold every sample once, and without samples no mean", () => {
    fc.assert(
      fc.property(judged, (pairs) => {
        const bins = equalWidthBins(samples(pairs));
        expect(bins.length).toBe(15);
        expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(pairs.length);
        for (const { lower, upper, count, confidence, accuracy } of bins)
          if (count === 0) expect([confidence, accuracy]).toEqual([null, null]);
          else {
            expect(confidence).toBeGreaterThan(lower - 1e-15);
            expect(confidence).toBeLessThan(upper + 1e-15);
            expect(accuracy! * count).toBeCloseTo(Math.round(accuracy! * count), 10);
          }
      }),
    );
  });
});

describe("bins of equal count", () => {
  it("have sizes that differ by one at most, the larger first, and confidences that only grow", () => {
    fc.assert(
      fc.property(judged, (pairs) => {
        const bins = equalCountBins(samples(pairs));
        const counts = bins.map(({ count }) => count);
        expect(bins.length).toBe(Math.min(15, pairs.length));
        expect(counts.reduce((sum, count) => sum + count)).toBe(pairs.length);
        expect(counts[0] - counts.at(-1)!).toBeLessThanOrEqual(1);
        expect(counts).toEqual(counts.toSorted((a, b) => b - a));
        const bounds = bins.flatMap(({ lower, upper }) => [lower, upper]);
        expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
      }),
    );
  });

  it("keep the number of right predictions, and do not depend on the order of the samples", () => {
    fc.assert(
      fc.property(judged, (pairs) => {
        const bins = equalCountBins(samples(pairs));
        const hits = bins.reduce((sum, { count, accuracy }) => sum + count * accuracy!, 0);
        expect(hits).toBeCloseTo(pairs.filter(([, hit]) => hit).length, 10);
        expect(equalCountBins(samples(pairs.toReversed()))).toEqual(bins);
      }),
    );
  });

  it("share the hits of samples that tie where a cut falls among them", () => {
    // 30 samples, two a bin: the third to the 30th have confidence 1, and 7 of these 28 are right
    const ties = Array.from({ length: 28 }, (_, i) => [1, i < 7] as const);
    const [first, ...others] = equalCountBins(samples([[0.5, true], ...ties, [0.75, true]]));
    expect(first).toEqual({ lower: 0.5, upper: 0.75, count: 2, confidence: 0.625, accuracy: 1 });
    expect(others).toEqual(Array(14).fill({ lower: 1, upper: 1, count: 2, confidence: 1, accuracy: 0.25 }));
  });
});

describe("the calibration error", () => {
  it("is the mean gap of confidence and accuracy, weighted by the samples", () => {
    const bins = equalWidthBins(
      samples([
        [0.5, true],
        [0.5, false],
        [0.9, true],
        [0.9, true],
      ]),
    );
    expect(calibrationError(bins)).toBeCloseTo(0.05, 15);
  });

  it("is 0 of sure and right predictions, and 1 of sure and wrong ones", () => {
    for (const hit of [true, false])
      for (const bins of [equalWidthBins, equalCountBins])
        expect(calibrationError(bins(samples(Array(20).fill([1, hit]))))).toBe(hit ? 0 : 1);
  });
});
