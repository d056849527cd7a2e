import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { loadFastest, threadCandidates } from "../../src/engines/onnx/threads.ts";

it("tries half of the threads too where two may share a core", () => {
  expect(threadCandidates(1)).toEqual([1]);
  expect(threadCandidates(2)).toEqual([2]);
  expect(threadCandidates(16)).toEqual([16, 8]);
});

it("keeps the model that is fastest, disposes of the others and does not measure again", async () => {
  const disposed: number[] = [];
  const trials: number[] = [];
  const load = async (threads: number) => ({
    threads,
    async trial() {
      trials.push(threads);
      await sleep(threads === 3 ? 1 : 20);
    },
    async dispose() {
      disposed.push(threads);
    },
  });
  expect((await loadFastest(load, [6, 3, 2])).threads).toBe(3);
  expect(disposed).toEqual([6, 2]);
  expect(trials).toHaveLength(12);
  expect((await loadFastest(load, [6, 3, 2])).threads).toBe(3);
  expect(trials).toHaveLength(12);
});
