import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shuffledOrder } from "../../src/training/shuffle.ts";

describe("the order of an epoch", () => {
  it("takes every image once", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(1000), fc.nat(400), (length, seed, epoch) => {
        const sorted = shuffledOrder(length, seed, epoch).toSorted();
        expect([...sorted]).toEqual(Array.from({ length }, (_, i) => i));
      }),
    );
  });

  it("is the same for the same seed and epoch, and another for any other", () => {
    const orders = [1, 2, 3].flatMap((seed) => [1, 2, 3].map((epoch) => shuffledOrder(100, seed, epoch).join()));
    expect(new Set(orders).size).toBe(9);
    expect(shuffledOrder(100, 2, 3).join()).toBe(orders[5]);
  });

  it("puts every image at every place equally often", () => {
    const length = 4;
    const epochs = 4000;
    const counts = new Float64Array(length * length);
    for (let epoch = 0; epoch < epochs; epoch++)
      shuffledOrder(length, 1, epoch).forEach((image, place) => {
        counts[image * length + place]! += 1;
      });
    // 4.5 standard deviations of a binomial count around its mean
    const tolerance = 4.5 * Math.sqrt((epochs * 3) / 16);
    for (const count of counts) expect(Math.abs(count - epochs / length)).toBeLessThan(tolerance);
  });
});
