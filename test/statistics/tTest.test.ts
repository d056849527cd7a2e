import { describe, expect, it } from "vitest";
import { pairedTest, welchTest } from "../../src/statistics/tTest.ts";
import { expectNumbers, REFERENCE } from "./reference.ts";

const FIFTEEN = REFERENCE.two.find((sample) => sample.case === "fifteen seeds, close")!;

describe("Welch's t test", () => {
  it.each(REFERENCE.two)("of $case agrees with scipy", ({ a, b, welch }) => {
    const test = welchTest(a, b);
    expectNumbers(test, welch);
    expect(test.reason).toBeNull();
    expect(test.difference).toBeCloseTo((test.ci95![0] + test.ci95![1]) / 2, 12);
  });

  it("of b and a is that of a and b with the sign changed", () => {
    const { a, b } = FIFTEEN;
    const [forth, back] = [welchTest(a, b), welchTest(b, a)];
    expect([back.t, back.p, back.difference]).toEqual([-forth.t!, forth.p, -forth.difference!]);
  });

  it("does not depend on the unit, not even where squares overflow or vanish", () => {
    const { a, b } = FIFTEEN;
    const { t, df, p } = welchTest(a, b);
    for (const unit of [2 ** 660, 2 ** -660]) {
      const scaled = [a, b].map((values) => values.map((value) => value * unit));
      expect(welchTest(scaled[0]!, scaled[1]!)).toMatchObject({ t, df, p });
    }
  });

  it.each([
    ["no value", [], [1, 2], null, "fewer than 2 values"],
    ["one value", [3], [1, 2], 1.5, "fewer than 2 values"],
    ["no spread in either", [0.1, 0.1, 0.1], [0.3, 0.3], 0.1 - 0.3, "neither group varies"],
  ])("with %s says why there is none", (_, a, b, difference, reason) => {
    const test = welchTest(a, b);
    expect(test).toEqual({ difference, ci95: null, t: null, df: null, p: null, reason: expect.any(String) });
    expect(test.reason).toContain(reason);
  });
});

describe("the paired t test", () => {
  it.each(REFERENCE.paired)("of $case agrees with scipy", ({ a, b, paired }) => {
    const test = pairedTest(a, b);
    expectNumbers(test, paired);
    expect(test.reason).toBeNull();
  });

  it.each([
    ["no pair", [], [], null, "fewer than 2 pairs"],
    ["one pair", [3], [1], 2, "fewer than 2 pairs"],
    ["equal pairs", [1, 2, 3], [1, 2, 3], 0, "all differences are equal"],
    ["differences equal but for rounding", [0.3, 0.4, 0.9], [0.1, 0.2, 0.7], 0.2, "all differences are equal"],
  ])("of %s says why there is none", (_, a, b, difference, reason) => {
    const test = pairedTest(a, b);
    expect(test).toMatchObject({ ci95: null, t: null, df: null, p: null, reason });
    if (difference === null) expect(test.difference).toBeNull();
    else expect(test.difference).toBeCloseTo(difference, 12);
  });

  it("sees differences that are small but more than rounding", () => {
    expect(pairedTest([1, 2, 3], [1, 2 + 1e-14, 3 - 1e-14]).reason).toBeNull();
  });
});
