import { describe, expect, it } from "vitest";
import { batchSizes, fixedBatchSize } from "../../src/evaluation/batchSize.ts";

/** Runs a pass over so many images on an engine that takes `cost(size)` for a batch; returns the sizes of the batches. */
function pass(key: string, images: number, cost: (size: number) => number, pixels = 1024): number[] {
  const sizes = batchSizes(key, images, pixels);
  const taken: number[] = [];
  let ahead = sizes.next();
  for (let done = 0; done < images; ) {
    const size = ahead;
    ahead = sizes.next(); // as the next batch is read while this one runs
    sizes.took(size, cost(size));
    taken.push(size);
    done += size;
  }
  return taken;
}

describe("the batch size", () => {
  it("is the fastest of all that were tried on the first images", () => {
    for (const best of [16, 32, 64, 128, 256]) {
      const taken = pass(`best ${best}`, 20_000, (size) => size * (size === best ? 1 : 1.2));
      expect(new Set(taken).size).toBeGreaterThan(4);
      expect(taken.slice(-20)).toEqual(Array(20).fill(best));
    }
  });

  it("does not fall for a slow first batch", () => {
    let calls = 0;
    expect(pass("slow start", 20_000, (size) => (calls++ === 0 ? 1e6 : size * (size === 16 ? 1 : 2))).at(-1)).toBe(16);
  });

  it("is chosen once for the same network on the same engine", () => {
    pass("known", 20_000, (size) => size * (size === 128 ? 1 : 2));
    expect(new Set(pass("known", 1_000, () => 1))).toEqual(new Set([128]));
  });

  it("has no more pixels than 256 images of 32×32", () => {
    for (const side of [64, 224, 2000]) {
      const taken = pass(`side ${side}`, 20_000, (size) => size * 0.9 ** size, side * side);
      expect(Math.max(...taken)).toBe(Math.max(1, Math.floor((256 * 1024) / side ** 2)));
    }
  });

  it("is a middle one where a set is too small to choose", () => {
    expect(new Set(pass("small", 5_000, (size) => size))).toEqual(new Set([32]));
  });
});

it("is always the same where outputs depend on it", () => {
  const sizes = fixedBatchSize("cpu", 1024);
  sizes.took(64, 1);
  expect([sizes.next(), sizes.next()]).toEqual([64, 64]);
  expect(fixedBatchSize("cuda", 1024).next()).toBe(256);
  expect(fixedBatchSize("cuda", 224 * 224).next()).toBe(5);
});
