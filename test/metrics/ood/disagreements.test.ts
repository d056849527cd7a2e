import { describe, expect, it } from "vitest";
import { detectionCurves } from "../../../src/metrics/ood/curves.ts";
import { detection, rankScores } from "../../../src/metrics/ood/detection.ts";
import { logitScores } from "../../../src/metrics/ood/logitScores.ts";
import { floats, golden } from "../../golden.ts";
import { CASES, measuresOf } from "./cases.ts";

/** The area under precision and recall by trapezoids, from the point (0, 1) on: scikit-learn's `auc`, as OpenOOD calls it. */
function trapezoids({
  recall,
  precision,
}: {
  readonly recall: readonly number[];
  readonly precision: readonly number[];
}) {
  const x = [0, ...recall];
  const y = [1, ...precision];
  return recall.reduce((sum, at, i) => sum + ((at - x[i]) * (y[i] + y[i + 1])) / 2, 0);
}

describe("the AUPR of DDU", () => {
  it("has OoD positive for the entropy and in-distribution for the densities: 1/11 and 10/11 for the same useless score", () => {
    /** DDU's `get_roc_auc_logits`: labels 1 for OoD, and the other way round where the score is a confidence. */
    const ddu = (isConfidence: boolean) => {
      const { aupr_ood, aupr_id } = measuresOf({ id: Array(1000).fill(0), ood: Array(100).fill(0) });
      return isConfidence ? aupr_id : aupr_ood;
    };
    expect(ddu(false)).toBeCloseTo(1 / 11, 12);
    expect(ddu(true)).toBeCloseTo(10 / 11, 12);
  });

  it("ranks two scores by the class that is positive: the entropy falls behind or leads with the side it is given", () => {
    const file = golden("metrics-not-collapsed");
    const [id, ood] = ["test_logits", "ood_logits"].map((part) => logitScores(floats(file, part), 10));
    const of = (score: "softmax_entropy" | "energy") =>
      detection(rankScores(score, { id: id![score], ood: ood![score] }));
    const gain = of("softmax_entropy").aupr_ood - of("energy").aupr_ood;
    const asDduCompares = of("softmax_entropy").aupr_ood - of("energy").aupr_id;
    expect(gain).toBeCloseTo(0.0351, 4);
    expect(asDduCompares).toBeCloseTo(0.0637, 4);
  });
});

describe("the AUPR of OpenOOD", () => {
  it.each(CASES.filter(({ curves }) => curves))("is the area by trapezoids: $name", ({ id, ood, trapezoid }) => {
    const { pr_ood, pr_id } = detectionCurves(
      rankScores("score", { id: Float64Array.from(id), ood: Float64Array.from(ood) }),
    );
    expect(trapezoids(pr_ood)).toBeCloseTo(trapezoid.aupr_ood, 12);
    expect(trapezoids(pr_id)).toBeCloseTo(trapezoid.aupr_id, 12);
  });

  it("is 0.68 where a constant score has a precision of 5/14 at every recall", () => {
    const { expected, trapezoid } = CASES.find(({ name }) => name === "constant")!;
    expect(expected.aupr_ood).toBeCloseTo(5 / 14, 12);
    expect(trapezoid.aupr_ood).toBeCloseTo((1 + 5 / 14) / 2, 12);
  });
});

describe("scores of float32", () => {
  it("tie where those of float64 do not, and that moves AUROC and AUPR: max-softmax of the golden cases", () => {
    const measured = (name: string, classes: number, float: (score: number) => number) => {
      const file = golden(name);
      const side = (part: string) => logitScores(floats(file, part), classes).max_softmax.map(float);
      return detection(rankScores("max_softmax", { id: side("test_logits"), ood: side("ood_logits") }));
    };
    const exact = measured("metrics-two-classes", 2, (score) => score);
    const rounded = measured("metrics-two-classes", 2, Math.fround);
    expect(Math.abs(rounded.auroc - exact.auroc)).toBeGreaterThan(4e-4);
    expect(Math.abs(rounded.aupr_id - exact.aupr_id)).toBeGreaterThan(0.01);
  });

  it("move FPR95: confidences that differ by 1e-9 beside 1 are one in float32", () => {
    // 18 OoD samples stand out; the 19th, and 30 of 100 in-distribution samples below it, are confident but for 1e-9
    const ood = [...Array(18).fill(-0.5), -1 + 4e-9, -1];
    const id = [...Array(30).fill(-1 + 3e-9), ...Array(70).fill(-1 + 1e-12)];
    expect(measuresOf({ id, ood }).fpr95).toBe(0);
    expect(measuresOf({ id: id.map(Math.fround), ood: ood.map(Math.fround) }).fpr95).toBe(1);
  });
});
