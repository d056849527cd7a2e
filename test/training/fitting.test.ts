import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { fittingProcesses } from "../../src/training/fitting.ts";

describe("the number of runs at a time", () => {
  it.each([
    ["cores are what is short", { cores: 4, available: 100e9 }, 4],
    ["memory is what is short", { cores: 64, available: 10e9 }, 4],
    ["each has threads for two cores", { cores: 5, available: 100e9 }, 2, 2],
    ["each has threads for more than there are", { cores: 2, available: 100e9 }, 1, 8],
    ["memory has room for the first only", { cores: 8, available: 1e9 }, 1],
  ])("where %s", (_, machine, count, threads = 1) => {
    expect(fittingProcesses(3e9, threads, machine)).toBe(count);
  });

  it("is at most one per core of this machine", () => {
    expect(fittingProcesses(1, 1)).toBe(availableParallelism());
  });
});
