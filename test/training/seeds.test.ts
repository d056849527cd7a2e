import { describe, expect, it } from "vitest";
import { parseSeeds } from "../../src/training/seeds.ts";

describe("a list of seeds", () => {
  it("is made of numbers and ranges", () => {
    expect(parseSeeds("5")).toEqual([5]);
    expect(parseSeeds("1-3,7")).toEqual([1, 2, 3, 7]);
    expect(parseSeeds("0, 12 ,3-3")).toEqual([0, 12, 3]);
  });

  it("names each seed once", () => {
    expect(parseSeeds("1-3,2,3-4")).toEqual([1, 2, 3, 4]);
  });

  it.each(["", "a", "1,", "3-1", "1-", "-1", "1.5", "1-99999999", "1-2-3"])("is refused if it is %j", (text) => {
    const refusal = { code: "invalid-request", message: expect.stringMatching(/^seeds: expected numbers and ranges/) };
    expect(() => parseSeeds(text)).toThrow(expect.objectContaining(refusal));
  });
});
