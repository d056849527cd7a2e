import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CalibrationReport, calibration } from "../../../src/metrics/calibration/calibration.ts";
import { forecasts, type LabelledLogits } from "../../../src/metrics/calibration/forecasts.ts";
import { floats, golden } from "../../golden.ts";
import { goldenJson, namesOf } from "../cases.ts";
import { CASES, problems } from "./cases.ts";

const names = namesOf("metrics").filter((name) => goldenJson(name).calibration);

/** The labelled logits of a golden case under that prefix. */
function partOf(name: string, prefix: string): LabelledLogits {
  const file = golden(name);
  const labels = file.tensors.get(`${prefix}labels`)!.data as Int32Array;
  return { logits: floats(file, `${prefix}logits`), labels };
}

describe("the golden cases with a validation part", () => {
  it("are there", () => {
    expect(names.length).toBe(6);
  });
});

describe.each(names)("%s", (name) => {
  const { C: classes, calibration: expected } = goldenJson(name);
  const { omitted, ...found } = calibration(partOf(name, "test_"), partOf(name, "val_"), classes);

  it("has the accuracy of the reference, and all reports", () => {
    expect(found.accuracy).toBe(expected.accuracy);
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    expect(omitted).toEqual({});
  });

  it.each(["before", "after_nll_optimum", "after_ddu_grid"] as const)(
    "has temperature, NLL and ECE of the reference to 1e-9, %s",
    (when) => {
      for (const figure of ["temperature", "val_nll", "nll", "ece"] as const)
        expect(Math.abs(found[when]![figure]! / expected[when][figure] - 1), figure).toBeLessThan(1e-9);
    },
  );

  it("has the temperature of DDU's grid to the last bit", () => {
    expect(found.after_ddu_grid!.temperature).toBe(expected.after_ddu_grid.temperature);
  });
});

describe("the calibration of a test set", () => {
  it.each(CASES)("is that of numpy and scikit-learn, to 1e-9 (1e-15 of 0): $name", ({ part, classes, expected }) => {
    const { before } = calibration(part, null, classes);
    for (const figure of ["nll", "ece", "adaptive_ece", "brier"] as const)
      expect(Math.abs(before[figure] - expected[figure]), figure).toBeLessThan(1e-9 * expected[figure] + 1e-15);
    expect(before.bins.length).toBe(expected.bins.length);
    before.bins.forEach((bin, k) => {
      const { confidence, accuracy, ...bounds } = expected.bins[k];
      expect(bin).toMatchObject(bounds);
      if (confidence === null) expect([bin.confidence, bin.accuracy]).toEqual([null, null]);
      else {
        expect(bin.confidence).toBeCloseTo(confidence, 12);
        expect(bin.accuracy).toBeCloseTo(accuracy!, 12);
      }
    });
  });

  it("is of finite numbers only, in the ranges of the measures, and NLL on the validation part only falls", () => {
    fc.assert(
      fc.property(problems, ({ classes, ...part }) => {
        const { before, after_nll_optimum, after_ddu_grid, omitted } = calibration(part, part, classes);
        for (const report of [before, after_nll_optimum, after_ddu_grid]) {
          if (report) expectInRange(report);
          // fitted and measured on the same part here
          if (report) expect(report.nll).toBe(report.val_nll);
        }
        if (after_nll_optimum) expect(after_nll_optimum.nll).toBeLessThanOrEqual(before.nll * (1 + 1e-14));
        else expect(omitted.after_nll_optimum).toBeTypeOf("string");
      }),
    );
  });

  function expectInRange({ nll, ece, adaptive_ece, brier }: CalibrationReport) {
    expect(nll).toBeGreaterThanOrEqual(0);
    expect(nll).toBeLessThan(Number.POSITIVE_INFINITY);
    for (const error of [ece, adaptive_ece, brier / 2]) {
      expect(error).toBeGreaterThanOrEqual(0);
      expect(error).toBeLessThanOrEqual(1);
    }
  }

  const part = { logits: Float64Array.of(2, 0, 0, 1, 3, 1), labels: Int32Array.of(0, 1, 1) };

  it("without a validation part has the report before temperature scaling, and the reason for the others", () => {
    const { omitted, ...found } = calibration(part, null, 2);
    expect(Object.keys(found)).toEqual(["accuracy", "before"]);
    expect(Object.keys(found.before)).not.toContain("val_nll");
    expect(omitted).toEqual({
      after_nll_optimum: expect.stringContaining("no validation part"),
      after_ddu_grid: expect.stringContaining("no validation part"),
    });
  });

  it.each([
    ["every sample of the validation part is classified right", [2, 1, 1, 5], 0.1],
    ["does not rise down to T = 0.001", [3, 3, 3, 3], 0.1],
    ["minimum at T = 1000 or above", [1, 2, 5, 1], 9.99999999999998],
  ])("leaves out the optimum because %s, and keeps DDU's end of the grid", (reason, logits, end) => {
    const validation = { logits: Float64Array.from(logits), labels: Int32Array.of(0, 1) };
    const { after_nll_optimum, after_ddu_grid, omitted } = calibration(part, validation, 2);
    expect(after_nll_optimum).toBeUndefined();
    expect(omitted).toEqual({ after_nll_optimum: expect.stringContaining(reason) });
    expect(after_ddu_grid!.temperature).toBe(end);
  });

  it.each([
    ["too-few-samples", "0 samples", { logits: new Float64Array(0), labels: new Int32Array(0) }],
    ["shape-mismatch", "2 samples", { ...part, logits: part.logits.subarray(0, 4) }],
    ["label-out-of-range", "label 2 of sample 1", { ...part, labels: Int32Array.of(0, 2, 1) }],
    ["label-out-of-range", "label -1 of sample 0", { ...part, labels: Int32Array.of(-1, 0, 1) }],
    ["non-finite-logit", "sample 2", { ...part, logits: Float64Array.of(2, 0, 0, 1, 3, Number.NaN) }],
  ] as const)("is refused with %s that names %s and the set", (code, offender, bad) => {
    const refusal = (set: string) =>
      expect.objectContaining({ code, message: expect.stringMatching(new RegExp(`(?=.*${offender})(?=.*${set})`)) });
    expect(() => calibration(bad, part, 2)).toThrow(refusal("test set"));
    expect(() => calibration(part, bad, 2)).toThrow(refusal("validation part"));
  });
});

describe("the forecasts", () => {
  it("keep the digits of a nearly sure and right softmax", () => {
    // 1 − p = e^-50 / (1 + e^-50), of which 1 − fl(p) would make 0
    const { nll, brier } = forecasts({ logits: Float64Array.of(50, 0), labels: Int32Array.of(0) }, 2, 1);
    expect(nll / Math.exp(-50)).toBeCloseTo(1, 14);
    expect(brier / (2 * Math.exp(-100))).toBeCloseTo(1, 14);
  });

  it("are those of divided logits at another temperature", () => {
    fc.assert(
      fc.property(problems, fc.constantFrom(0.5, 2, 8), ({ classes, logits, labels }, temperature) => {
        const divided = forecasts({ logits: logits.map((z) => z / temperature), labels }, classes, 1);
        expect(forecasts({ logits, labels }, classes, temperature)).toEqual(divided);
      }),
    );
  });
});
