import { describe, expect, it } from "vitest";
import { holm } from "../../src/statistics/holm.ts";
import { REFERENCE } from "./reference.ts";

describe("Holm's correction", () => {
  it.each(REFERENCE.holm)("of $p agrees with its definition", ({ p, holm: expected }) => {
    expect(holm(p)).toEqual(expected);
  });

  it("counts only the tests that were made", () => {
    expect(holm([null, 0.02, null, 0.3])).toEqual([null, 0.04, null, 0.3]);
    expect(holm([null])).toEqual([null]);
    expect(holm([])).toEqual([]);
  });
});
