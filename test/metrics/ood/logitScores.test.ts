import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CollapsarError } from "../../../src/errors.ts";
import { detection, rankScores } from "../../../src/metrics/ood/detection.ts";
import { type LogitScores, logitScores } from "../../../src/metrics/ood/logitScores.ts";
import { floats, golden, relativeDifference } from "../../golden.ts";
import { goldenJson, namesOf } from "../cases.ts";

type ScoreName = keyof LogitScores;

const NAMES: readonly ScoreName[] = ["softmax_entropy", "energy", "max_softmax"];

/** Scores of logits (a row each) in 50 digits: fixtures/detection/make_detection.py. */
interface ExactScores extends Readonly<Record<ScoreName, number>> {
  readonly logits: readonly number[];
}

const { logits: exact } = JSON.parse(
  readFileSync(new URL("../../fixtures/detection/detection.json", import.meta.url), "utf8"),
) as { logits: readonly ExactScores[] };

const cases = namesOf("metrics").filter((name) => goldenJson(name).ood);

describe("the golden cases with an OoD part", () => {
  it("are there", () => {
    expect(cases.length).toBe(6);
  });
});

describe.each(cases)("%s", (name) => {
  const { C: classes, ood: expected } = goldenJson(name);
  const file = golden(name);
  const id = logitScores(floats(file, "test_logits"), classes);
  const ood = logitScores(floats(file, "ood_logits"), classes);

  it.each(NAMES)("has the first scores of the reference, to 1e-12 of the largest: %s", (score) => {
    const { first_id, first_ood } = expected[score];
    expect(relativeDifference(id[score].subarray(0, 4), first_id)).toBeLessThan(1e-12);
    expect(relativeDifference(ood[score].subarray(0, 4), first_ood)).toBeLessThan(1e-12);
  });

  it.each(NAMES)("has the AUROC, AUPR and FPR95 of the reference, to 1e-12: %s", (score) => {
    const measures = detection(rankScores(score, { id: id[score], ood: ood[score] }));
    for (const [measure, value] of Object.entries(measures))
      expect(Math.abs(value - expected[score][measure]), measure).toBeLessThan(1e-12);
  });
});

describe("the scores of logits", () => {
  it.each(exact)("are those of 50 digits, to 4e-15 of themselves however small: $logits", ({ logits, ...expected }) => {
    const scores = logitScores(Float64Array.from(logits), logits.length);
    for (const name of NAMES) expect(Math.abs(scores[name][0] / expected[name] - 1), name).toBeLessThan(4e-15);
  });

  it("are taken row by row", () => {
    const rows = Float32Array.of(1, 2, 3, 6, 5, 4, 0, 0, 9);
    const together = logitScores(rows, 3);
    for (const name of NAMES)
      for (let i = 0; i < 3; i++)
        expect(together[name][i]).toBe(logitScores(rows.subarray(3 * i, 3 * i + 3), 3)[name][0]);
  });

  it("do not change when a constant is added to a row, but for the energy, which goes down by it", () => {
    const row = fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(row, fc.integer({ min: -5000, max: 5000 }), (numbers, constant) => {
        const logits = Float64Array.from(numbers, (x) => x / 16);
        const before = logitScores(logits, logits.length);
        const after = logitScores(
          logits.map((z) => z + constant),
          logits.length,
        );
        expect(after.softmax_entropy).toEqual(before.softmax_entropy);
        expect(after.max_softmax).toEqual(before.max_softmax);
        expect(after.energy[0]).toBeCloseTo(before.energy[0] - constant, 10);
      }),
    );
  });

  it("are finite for logits of any size", () => {
    const { softmax_entropy, energy, max_softmax } = logitScores(Float64Array.of(3e38, -3e38, 0, -1e38), 2);
    expect([...softmax_entropy, ...max_softmax]).toEqual([0, 0, -1, -1]);
    expect([...energy]).toEqual([-3e38, -0]);
  });

  it.each([
    ["non-finite-logit", "sample 1", Float64Array.of(1, 2, Number.NaN, 3), 2],
    ["non-finite-logit", "sample 0", Float64Array.of(1, Number.POSITIVE_INFINITY, 0, 3), 2],
    ["shape-mismatch", "5", Float64Array.of(1, 2, 3, 4, 5), 2],
  ] as const)("are refused with %s that names %s", (code, offender, logits, classes) => {
    const run = () => logitScores(logits, classes);
    expect(run).toThrow(CollapsarError);
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(offender) }));
  });
});
