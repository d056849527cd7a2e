import { describe, expect, it } from "vitest";
import { wilcoxonTest } from "../../src/statistics/wilcoxon.ts";
import { expectNumbers, REFERENCE } from "./reference.ts";

describe("Wilcoxon's signed-rank test", () => {
  it.each(REFERENCE.paired)("of $case agrees with scipy", ({ a, b, wilcoxon }) => {
    const test = wilcoxonTest(a, b);
    expectNumbers(test, wilcoxon);
    expect(test.reason).toBeNull();
  });

  it.each([
    ["15 pairs", "exact"],
    ["50 pairs", "exact"],
    ["51 pairs", "normal"],
    ["13 whole numbers, ties and zeros", "exact"],
    ["14 whole numbers, ties and zeros", "normal"],
    ["thirteen with one zero", "exact"],
    ["fourteen with one zero", "normal"],
  ])("of %s is %s and says so", (name, method) => {
    const { a, b } = REFERENCE.paired.find((sample) => sample.case === name)!;
    expect(wilcoxonTest(a, b).method).toBe(method);
  });

  it("of five pairs in one direction is 2/2^5, however far they are apart", () => {
    expect(wilcoxonTest([1, 2, 3, 4, 5], [0, 0, 0, 0, 0])).toEqual({
      n: 5,
      w: 0,
      p: 1 / 16,
      method: "exact",
      reason: null,
    });
  });

  it("leaves out pairs of equal values and counts the others", () => {
    expect(wilcoxonTest([1, 2, 3, 4], [1, 2, 2, 2])).toMatchObject({ n: 2, w: 0, p: 0.5 });
  });

  it.each([
    ["no pair", [], [], "fewer than 2 pairs"],
    ["one pair", [1], [2], "fewer than 2 pairs"],
    ["pairs of equal values", [1, 2, 3], [1, 2, 3], "all differences are zero"],
  ])("of %s says why there is none", (_, a, b, reason) => {
    expect(wilcoxonTest(a, b)).toMatchObject({ w: null, p: null, method: null, reason });
  });
});
