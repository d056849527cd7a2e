import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DetectionCurves, detectionCurves } from "../../../src/metrics/ood/curves.ts";
import { detection, rankScores } from "../../../src/metrics/ood/detection.ts";
import { gaussians } from "../gaussians.ts";
import { CASES, sides } from "./cases.ts";

function rankingOf({ id, ood }: { readonly id: readonly number[]; readonly ood: readonly number[] }) {
  return rankScores("score", { id: Float64Array.from(id), ood: Float64Array.from(ood) });
}

/** The area under straight lines between points. */
function area(x: readonly number[], y: readonly number[]): number {
  return x.slice(1).reduce((sum, at, i) => sum + ((at - x[i]) * (y[i] + y[i + 1])) / 2, 0);
}

/** Returns whether numbers never go down. */
const grows = (values: readonly number[]) => values.every((value, i) => i === 0 || value >= values[i - 1]);

/** The pairs of numbers of a curve, as text. */
const points = (x: readonly number[], y: readonly number[]) => x.map((at, i) => `${at} ${y[i]}`);

describe("the curves", () => {
  it.each(CASES.filter(({ curves }) => curves))(
    "of few scores are those of scikit-learn: $name",
    ({ curves, ...scores }) => {
      const found = detectionCurves(rankingOf(scores));
      for (const [curve, axes] of Object.entries(curves!))
        for (const [axis, expected] of Object.entries(axes as Record<string, number[]>)) {
          const actual = (found[curve as keyof DetectionCurves] as unknown as Record<string, number[]>)[axis];
          // scikit-learn stops a precision-recall curve where recall is full
          expect(actual.slice(0, expected.length).map((x) => x.toFixed(12))).toEqual(
            expected.map((x) => x.toFixed(12)),
          );
        }
    },
  );

  it("run from corner to corner and never back", () => {
    fc.assert(
      fc.property(sides, (scores) => {
        const { roc, pr_ood, pr_id } = detectionCurves(rankingOf(scores));
        expect([roc.fpr[0], roc.tpr[0], roc.fpr.at(-1), roc.tpr.at(-1)]).toEqual([0, 0, 1, 1]);
        expect([pr_ood.recall.at(-1), pr_id.recall.at(-1)]).toEqual([1, 1]);
        for (const axis of [roc.fpr, roc.tpr, pr_ood.recall, pr_id.recall]) expect(grows(axis)).toBe(true);
      }),
    );
  });

  it("have the area of the AUROC where they are not thinned", () => {
    fc.assert(
      fc.property(sides, (scores) => {
        const ranking = rankingOf(scores);
        const { fpr, tpr } = detectionCurves(ranking).roc;
        expect(area(fpr, tpr)).toBeCloseTo(detection(ranking).auroc, 12);
      }),
    );
  });

  it.each([
    [20_000, 20_000, 1],
    [30_000, 100, 2],
    [50, 30_000, 1],
    [5_000, 5_000, 9],
  ])("of %d and %d samples hold at most 200 points of the whole curve and its area", (n, m, shift) => {
    const next = gaussians(n + m);
    const id = Array.from({ length: n }, () => next());
    const ood = Array.from({ length: m }, () => next() + shift);
    const ranking = rankingOf({ id, ood });
    const { roc, pr_ood, pr_id } = detectionCurves(ranking);
    const { auroc, aupr_ood, aupr_id } = detection(ranking);
    for (const axis of [roc.fpr, roc.tpr, pr_ood.recall, pr_ood.precision, pr_id.recall, pr_id.precision]) {
      expect(axis.length).toBeLessThanOrEqual(200);
      expect(axis.length).toBeGreaterThan(90);
    }
    expect(Math.abs(area(roc.fpr, roc.tpr) - auroc)).toBeLessThan(1e-3);
    expect(Math.abs(area([0, ...pr_ood.recall], [1, ...pr_ood.precision]) - aupr_ood)).toBeLessThan(1e-2);
    expect(Math.abs(area([0, ...pr_id.recall], [1, ...pr_id.precision]) - aupr_id)).toBeLessThan(1e-2);

    const descending = [...id.map((score) => ({ score, hit: 0 })), ...ood.map((score) => ({ score, hit: 1 }))].sort(
      (a, b) => b.score - a.score,
    );
    let hits = 0;
    const whole = new Set(points([0], [0]));
    descending.forEach(({ hit }, k) => {
      hits += hit;
      whole.add(`${(k + 1 - hits) / n} ${hits / m}`);
    });
    expect(points(roc.fpr, roc.tpr).filter((point) => !whole.has(point))).toEqual([]);
  });

  it("have the area of the AUROC to 1e-3 however unlike the sizes of the sides", () => {
    for (const [n, m] of [
      [50, 30_000],
      [200, 200],
      [150, 3_000],
      [30_000, 100],
    ] as const)
      for (const [round, shift] of [0, 0.3, 1, 3].entries()) {
        const next = gaussians(round * 7919 + n + m);
        const id = Array.from({ length: n }, () => next());
        const ranking = rankingOf({ id, ood: Array.from({ length: m }, () => next() + shift) });
        const { fpr, tpr } = detectionCurves(ranking).roc;
        expect(fpr.length).toBeLessThanOrEqual(200);
        expect(Math.abs(area(fpr, tpr) - detection(ranking).auroc)).toBeLessThan(1e-3);
      }
  });
});
