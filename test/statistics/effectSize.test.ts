import { describe, expect, it } from "vitest";
import { hedgesG } from "../../src/statistics/effectSize.ts";
import { expectNumbers, REFERENCE } from "./reference.ts";

describe("Hedges' g", () => {
  it.each(REFERENCE.two)("of $case agrees with its definition in 50 digits", ({ a, b, hedges }) => {
    const size = hedgesG(a, b);
    expectNumbers(size, hedges);
    expect(size.reason).toBeNull();
  });

  it.each([
    ["one value in a group", [1], [2, 3], "a group has fewer than 2 values"],
    ["no spread", [0.1, 0.1, 0.1], [0.7, 0.7, 0.7], "neither group varies"],
  ])("with %s says why there is none", (_, a, b, reason) => {
    expect(hedgesG(a, b)).toEqual({ g: null, ci95: null, reason });
  });
});
