import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detection, rankScores } from "../../../src/metrics/ood/detection.ts";
import { gaussians } from "../gaussians.ts";
import { CASES, measuresOf, sides } from "./cases.ts";

/** The share of pairs of which the OoD sample scores higher, counted pair by pair. */
function pairs({ id, ood }: { readonly id: readonly number[]; readonly ood: readonly number[] }): number {
  let sum = 0;
  for (const a of ood) for (const b of id) sum += a > b ? 1 : a === b ? 0.5 : 0;
  return sum / (ood.length * id.length);
}

/** The false positive rate at the highest threshold that 95 % of the positives reach, tried threshold by threshold. */
function rateAt95(positives: readonly number[], negatives: readonly number[]): number {
  const share = (scores: readonly number[], from: number) => scores.filter((s) => s >= from).length / scores.length;
  const enough = positives.filter((threshold) => share(positives, threshold) >= 0.95 - 1e-12);
  return share(negatives, Math.max(...enough));
}

describe("the detection measures", () => {
  it.each(CASES)("are those of scikit-learn, to 1e-12: $name", ({ id, ood, expected }) => {
    const measures = measuresOf({ id, ood });
    expect(Object.keys(measures)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(expected))
      expect(Math.abs(measures[name as keyof typeof measures] - value), name).toBeLessThan(1e-12);
  });

  it("have the AUROC of all pairs, to the last bit", () => {
    fc.assert(
      fc.property(sides, (scores) => {
        expect(measuresOf(scores).auroc).toBe(pairs(scores));
      }),
    );
  });

  it("have the FPR95 of all thresholds, to the last bit", () => {
    fc.assert(
      fc.property(sides, ({ id, ood }) => {
        const { fpr95, fpr95_id_positive } = measuresOf({ id, ood });
        expect(fpr95).toBe(rateAt95(ood, id));
        const negated = (scores: readonly number[]) => scores.map((score) => -score);
        expect(fpr95_id_positive).toBe(rateAt95(negated(id), negated(ood)));
      }),
    );
  });

  it("turn over when the sides are swapped: AUROC to 1 less itself", () => {
    fc.assert(
      fc.property(sides, ({ id, ood }) => {
        expect(measuresOf({ id: ood, ood: id }).auroc).toBeCloseTo(1 - measuresOf({ id, ood }).auroc, 15);
      }),
    );
  });

  it("change the positive class when the sides are swapped and the scores negated", () => {
    fc.assert(
      fc.property(sides, ({ id, ood }) => {
        const { auroc, aupr_ood, aupr_id, fpr95, fpr95_id_positive } = measuresOf({ id, ood });
        expect(measuresOf({ id: ood.map((score) => -score), ood: id.map((score) => -score) })).toEqual({
          auroc,
          aupr_ood: aupr_id,
          aupr_id: aupr_ood,
          fpr95: fpr95_id_positive,
          fpr95_id_positive: fpr95,
        });
      }),
    );
  });

  it("do not change under a map that keeps the order, nor with the order of the samples", () => {
    fc.assert(
      fc.property(sides, ({ id, ood }) => {
        // integers, so that no two scores become one by rounding
        const whole = (scores: readonly number[]) => scores.map((score) => Math.round(score * 16));
        const mapped = (scores: readonly number[]) => whole(scores).map((score) => score ** 3 + 7 * score);
        expect(measuresOf({ id: mapped(id).reverse(), ood: mapped(ood).reverse() })).toEqual(
          measuresOf({ id: whole(id), ood: whole(ood) }),
        );
      }),
    );
  });

  it("of a constant score are chance: AUROC 1/2, AUPR the share of the positives, FPR95 1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (n, m) => {
        const measures = measuresOf({ id: Array(n).fill(0.1), ood: Array(m).fill(0.1) });
        expect(measures.auroc).toBe(0.5);
        expect(measures.aupr_ood).toBeCloseTo(m / (n + m), 15);
        expect(measures.aupr_id).toBeCloseTo(n / (n + m), 15);
        expect([measures.fpr95, measures.fpr95_id_positive]).toEqual([1, 1]);
      }),
    );
  });

  it("take 0 and −0 for the same score", () => {
    expect(measuresOf({ id: [0, -0], ood: [-0, 0, 0] }).auroc).toBe(0.5);
  });

  it("count the 95 % exactly: 19 of 20 are enough, 18 are not", () => {
    const ood = Array.from({ length: 20 }, (_, i) => i);
    expect(measuresOf({ id: [0.5], ood }).fpr95).toBe(0);
    expect(measuresOf({ id: [1.5], ood }).fpr95).toBe(1);
  });

  it("of 200,000 samples are those of the normal distribution", () => {
    const next = gaussians(5);
    const normal = (centre: number) => Float64Array.from({ length: 100_000 }, () => next() + centre);
    // Φ(1/√2) = 0.76025; the standard error here is 0.001
    expect(measuresOf({ id: normal(0), ood: normal(1) }).auroc).toBeCloseTo(0.76025, 2);
  });

  it("leave the scores in their order", () => {
    const scores = { id: Float64Array.of(3, 1, 2), ood: Float64Array.of(5, 4) };
    detection(rankScores("energy", scores));
    expect([...scores.id, ...scores.ood]).toEqual([3, 1, 2, 5, 4]);
  });
});

describe("a score", () => {
  const good = Float64Array.of(1, 2, 3);

  it.each([
    ["NaN", "energy of OoD sample 1 is NaN", { id: good, ood: Float64Array.of(0, Number.NaN) }],
    ["infinite", "energy of in-distribution sample 0 is Infinity", { id: Float64Array.of(Infinity), ood: good }],
    ["minus infinite", "energy of OoD sample 2 is -Infinity", { id: good, ood: Float64Array.of(1, 2, -Infinity) }],
  ] as const)("that is %s is refused: %s", (_, message, scores) => {
    expect(() => rankScores("energy", scores)).toThrow(
      expect.objectContaining({ code: "non-finite-score", message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ["OoD", { id: good, ood: new Float64Array(0) }],
    ["in-distribution", { id: new Float64Array(0), ood: good }],
  ] as const)("without %s samples is refused", (side, scores) => {
    expect(() => rankScores("gmm", scores)).toThrow(
      expect.objectContaining({
        code: "too-few-samples",
        message: expect.stringContaining(`gmm: there are 0 ${side}`),
      }),
    );
  });
});
