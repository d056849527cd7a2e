import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epochOrder } from "../../src/training/order.ts";
import { shuffledOrder } from "../../src/training/shuffle.ts";

const sets = fc
  .array(fc.integer({ min: 1, max: 80 }), { minLength: 2, maxLength: 12 })
  .map((counts) => Int32Array.from(counts.flatMap((count, label) => new Array<number>(count).fill(label))));

describe("a stratified epoch", () => {
  it("takes every image once, in another order for another seed or epoch", () => {
    fc.assert(
      fc.property(sets, fc.nat(99), fc.nat(99), (labels, seed, epoch) => {
        const order = epochOrder("stratified", labels, seed, epoch);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from(labels, (_, i) => i));
        expect(epochOrder("stratified", labels, seed, epoch)).toEqual(order);
      }),
    );
    const labels = Int32Array.from({ length: 200 }, (_, i) => i % 10);
    const orders = [1, 2].flatMap((seed) =>
      [1, 2].map((epoch) => epochOrder("stratified", labels, seed, epoch).join()),
    );
    expect(new Set(orders).size).toBe(4);
  });

  it("gives any stretch of it the share of every class, but for rounding", () => {
    fc.assert(
      fc.property(sets, fc.nat(9), fc.integer({ min: 1, max: 128 }), (labels, seed, batch) => {
        const order = epochOrder("stratified", labels, seed, 1);
        const classes = new Set(labels).size;
        const count = (indices: Iterable<number>, label: number) =>
          [...indices].filter((i) => labels[i] === label).length;
        for (let from = 0; from + batch <= order.length; from += batch)
          for (const label of new Set(labels)) {
            const n = count(order, label);
            const share = (batch * n) / labels.length;
            // the ends of the stretch are known to within one image of every class, of which this one has its part
            const rounding = 1 + (classes * n) / labels.length;
            expect(Math.abs(count(order.subarray(from, from + batch), label) - share)).toBeLessThanOrEqual(rounding);
          }
      }),
      { numRuns: 30 },
    );
  });

  it("keeps 100 classes in batches of 128 that shuffling leaves out", () => {
    const labels = Int32Array.from({ length: 12_800 }, (_, i) => i % 100);
    const absent = (order: Uint32Array) => {
      const batches = Array.from({ length: 100 }, (_, b) => order.subarray(b * 128, b * 128 + 128));
      return batches.reduce((sum, batch) => sum + 100 - new Set([...batch].map((i) => labels[i])).size, 0) / 100;
    };
    expect(absent(epochOrder("stratified", labels, 1, 1))).toBeLessThan(8);
    // of 100 classes 100·(1 − 1/100)^128 = 27.6 are expected to be absent
    expect(absent(epochOrder("shuffled", labels, 1, 1))).toBeGreaterThan(24);
  });
});

describe("a shuffled epoch", () => {
  it("is the plain shuffle, whatever the labels", () => {
    expect(epochOrder("shuffled", new Int32Array(50), 3, 4)).toEqual(shuffledOrder(50, 3, 4));
  });
});
