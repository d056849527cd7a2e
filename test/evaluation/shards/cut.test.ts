import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cuttable, cutShards, SHARD_IMAGES, shardsFor } from "../../../src/evaluation/shards/cut.ts";
import { MAX_SHARDS } from "../../../src/evaluation/shards/limit.ts";

const set = fc.record({ length: fc.integer({ min: 1, max: 3000 }), batch: fc.constantFrom(1, 5, 64, 256) });
const sets = fc
  .array(set, { minLength: 1, maxLength: 5 })
  .map((all): Cuttable[] => all.map((each, i) => ({ part: `part ${i}`, ...each })));
const count = fc.integer({ min: 1, max: MAX_SHARDS });

const images = (shares: readonly { start: number; end: number }[]) =>
  shares.reduce((sum, { start, end }) => sum + end - start, 0);

describe("the shards of some sets", () => {
  it("have every image once, in order", () => {
    fc.assert(
      fc.property(sets, count, (sets, count) => {
        const shares = cutShards(sets, count).flat();
        for (const { part, length } of sets) {
          const ofSet = shares.filter((share) => share.part === part);
          expect(ofSet.map(({ start }) => start)).toEqual([0, ...ofSet.slice(0, -1).map(({ end }) => end)]);
          expect(ofSet.at(-1)!.end).toBe(length);
        }
        expect(shares.map(({ part }) => part)).toEqual(
          sets.flatMap(({ part }) => shares.filter((s) => s.part === part).map(() => part)),
        );
      }),
    );
  });

  it("are cut only where a batch of the uncut set ends", () => {
    fc.assert(
      fc.property(sets, count, (sets, count) => {
        for (const { part, start } of cutShards(sets, count).flat())
          expect(start % sets.find((each) => each.part === part)!.batch).toBe(0);
      }),
    );
  });

  it("are as many as were asked for, none empty, and differ by a batch at most", () => {
    fc.assert(
      fc.property(sets, count, (sets, count) => {
        const shards = cutShards(sets, count);
        const total = images(sets.map(({ length }) => ({ start: 0, end: length })));
        const batch = Math.max(...sets.map((each) => each.batch));
        expect(shards.length).toBeLessThanOrEqual(count);
        if (total >= 2 * batch * count) expect(shards.length).toBe(count);
        for (const shares of shards) {
          expect(images(shares)).toBeGreaterThan(0);
          expect(images(shares)).toBeLessThanOrEqual(Math.ceil(total / count) + batch);
        }
      }),
    );
  });
});

it("an evaluation is cut by itself only where its images are very many", () => {
  expect([1, SHARD_IMAGES, SHARD_IMAGES + 1, 1_281_167 + 50_000].map(shardsFor)).toEqual([1, 1, 2, 3]);
  expect(shardsFor(1e12)).toBe(MAX_SHARDS);
});
