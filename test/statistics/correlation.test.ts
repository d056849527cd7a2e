import { describe, expect, it } from "vitest";
import { correlations, pearson, spearman } from "../../src/statistics/correlation.ts";
import { expectNumbers, REFERENCE } from "./reference.ts";

const COEFFICIENTS = { pearson, spearman };

describe.each(["pearson", "spearman"] as const)("the correlation by %s", (name) => {
  const correlate = COEFFICIENTS[name];

  it.each(REFERENCE.correlations)("of $case agrees with scipy", ({ x, y, [name]: expected }) => {
    const actual = correlate(x, y);
    expectNumbers(actual, expected);
    expect(actual.reason).toBeNull();
  });

  it.each(REFERENCE.bootstrap)("of $case has the interval of scipy's bootstrap", ({ x, y, [name]: ends }) => {
    const [low, high] = correlate(x, y).ci95!;
    expect(low).toBeGreaterThan(ends.low[0]);
    expect(low).toBeLessThan(ends.low[1]);
    expect(high).toBeGreaterThan(ends.high[0]);
    expect(high).toBeLessThan(ends.high[1]);
  });

  it("is the same again to the last bit, interval included", () => {
    const { x, y } = REFERENCE.bootstrap[0]!;
    expect(correlate(x, y)).toEqual(correlate([...x], [...y]));
  });

  it("of points on a line is exactly 1 or −1, with p = 0", () => {
    expect(correlate([1, 2, 3, 4], [10, 20, 30, 40])).toEqual({ r: 1, p: 0, ci95: [1, 1], reason: null });
    expect(correlate([1, 2, 3, 4], [4, 3, 2, 1])).toEqual({ r: -1, p: 0, ci95: [-1, -1], reason: null });
  });

  it("is never NaN, though most resamples of such points do not vary", () => {
    const { r, p, ci95 } = correlate([0, 0, 1], [1, 0, 0]);
    for (const value of [r, p, ...ci95!]) expect(Math.abs(value!)).toBeLessThanOrEqual(1);
    expect(r).toBeCloseTo(-0.5, 12);
  });

  it("is never NaN, though the squares of some resamples vanish", () => {
    const { r, p, ci95 } = correlate([0, 1e-200, 2e-200, 1], [1, 2, 4, 3]);
    for (const value of [r, p, ...ci95!]) expect(Math.abs(value!)).toBeLessThanOrEqual(1);
  });

  it.each([
    ["no point", [], [], "fewer than 3 pairs"],
    ["two points", [1, 2], [3, 4], "fewer than 3 pairs"],
    ["one x", [0.1, 0.1, 0.1], [1, 2, 3], "all values of x are equal"],
    ["one y", [1, 2, 3], [0.1, 0.1, 0.1], "all values of y are equal"],
  ])("of %s says why there is none", (_, x, y, reason) => {
    expect(correlate(x, y)).toEqual({ r: null, p: null, ci95: null, reason });
  });
});

it("correlations of many samples are to the last bit those of each alone, defined or not", () => {
  const small = REFERENCE.correlations.filter(({ x }) => x.length < 100);
  const shifted = small.map(({ x, y }) => ({ x: x.map((value) => value ** 3 + 1), y }));
  const undefinable = [
    { x: [1, 1, 1], y: [1, 2, 3] },
    { x: [1, 2], y: [2, 1] },
  ];
  const hardlyVarying = Array.from({ length: 40 }, (_, i) => ({ x: [0, 0, i], y: [i + 1, 0, 0] }));
  const samples = [...small, ...shifted, ...undefinable, ...hardlyVarying];
  expect(correlations(samples)).toEqual(
    samples.map(({ x, y }) => ({ pearson: pearson(x, y), spearman: spearman(x, y) })),
  );
});
