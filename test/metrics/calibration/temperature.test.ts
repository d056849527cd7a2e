import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bestOfGrid, DDU_GRID, likelihood, nllOptimum } from "../../../src/metrics/calibration/temperature.ts";
import { CASES, problems, scaled } from "./cases.ts";

describe("the temperature of the smallest NLL", () => {
  it.each(CASES)("is that of 50 digits, to 1e-12: $name", ({ part, classes, temperature }) => {
    const found = nllOptimum(part, classes);
    if (temperature === null) expect([0, Number.POSITIVE_INFINITY]).toContain(found);
    else expect(Math.abs(found / temperature - 1)).toBeLessThan(1e-12);
  });

  it("has a derivative of zero: less than what the last digits of T change", () => {
    let inside = 0;
    fc.assert(
      fc.property(problems, (problem) => {
        const temperature = nllOptimum(problem, problem.classes);
        if (temperature === 0 || temperature === Number.POSITIVE_INFINITY) return;
        inside++;
        const { slope, curvature } = likelihood(problem, problem.classes, 1 / temperature);
        expect(Math.abs(slope / (curvature / temperature))).toBeLessThan(1e-11);
      }),
    );
    expect(inside).toBeGreaterThan(20);
  });

  it("has a smaller NLL than any other temperature", () => {
    fc.assert(
      fc.property(problems, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (problem, other) => {
        const found = nllOptimum(problem, problem.classes);
        const best = Math.min(Math.max(found, 1e-3), 1e3);
        const nll = (temperature: number) => likelihood(problem, problem.classes, 1 / temperature).nll;
        expect(nll(best)).toBeLessThanOrEqual(nll(other) * (1 + 1e-14));
      }),
    );
  });

  it("grows with the logits", () => {
    fc.assert(
      fc.property(problems, fc.constantFrom(0.5, 3, 10), (problem, factor) => {
        const temperature = nllOptimum(problem, problem.classes);
        const expected = temperature * factor;
        fc.pre(expected > 1e-3 && expected < 1e3);
        expect(Math.abs(nllOptimum(scaled(problem, factor), problem.classes) / expected - 1)).toBeLessThan(1e-11);
      }),
    );
  });

  it("is 1 where the labels are as frequent as the softmax says", () => {
    // p = 3/4, 1/4 and three of four labels the first
    const logits = Float64Array.from({ length: 8 }, (_, k) => (k % 2 === 0 ? Math.log(3) : 0));
    expect(nllOptimum({ logits, labels: Int32Array.of(0, 0, 0, 1) }, 2)).toBeCloseTo(1, 14);
  });

  it("is 0 where every label has the largest logit, also where another has it too, and where all logits are equal", () => {
    const labels = Int32Array.of(0, 1);
    expect(nllOptimum({ logits: Float64Array.of(2, 1, 1, 5), labels }, 2)).toBe(0);
    expect(nllOptimum({ logits: Float64Array.of(2, 1, 3, 3), labels }, 2)).toBe(0);
    expect(nllOptimum({ logits: Float64Array.of(2, 2, 2, 2), labels }, 2)).toBe(0);
  });

  it("is infinite where the labels have the smaller logits", () => {
    expect(nllOptimum({ logits: Float64Array.of(2, 1, 1, 5), labels: Int32Array.of(1, 0) }, 2)).toBe(Infinity);
  });
});

describe("the likelihood", () => {
  it("has the derivatives that central differences of 1e-4 have", () => {
    fc.assert(
      fc.property(problems, fc.double({ min: 0.1, max: 3, noNaN: true }), (problem, beta) => {
        // logits of a size that differences can follow
        const part = scaled(problem, 1 / Math.max(...problem.logits.map(Math.abs)));
        const at = (inverse: number) => likelihood(part, part.classes, inverse);
        const [below, here, above] = [at(beta - 1e-4), at(beta), at(beta + 1e-4)];
        expect((above.nll - below.nll) / 2e-4).toBeCloseTo(here.slope, 7);
        expect((above.slope - below.slope) / 2e-4).toBeCloseTo(here.curvature, 7);
      }),
    );
  });
});

describe("DDU's grid", () => {
  it("has 100 temperatures, each 0.1 more than the one before", () => {
    expect(DDU_GRID.length).toBe(100);
    expect(DDU_GRID.slice(0, 3)).toEqual([0.1, 0.2, 0.30000000000000004]);
    expect(DDU_GRID.at(-1)).toBe(9.99999999999998);
  });

  it.each(CASES)("gives the temperature that DDU's loop gives: $name", ({ part, classes, ddu_temperature }) => {
    expect(bestOfGrid(part, classes, nllOptimum(part, classes))).toBe(ddu_temperature);
  });

  it("gives by two passes the best of all 100", () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const nll = (temperature: number) => likelihood(problem, problem.classes, 1 / temperature).nll;
        const all = DDU_GRID.map(nll);
        const best = bestOfGrid(problem, problem.classes, nllOptimum(problem, problem.classes));
        expect(best).toBe(DDU_GRID[all.indexOf(Math.min(...all))]);
      }),
    );
  });
});
