import { expect, it } from "vitest";
import { describeLacks } from "../../src/commands/lacks.ts";

it("says once what several runs lack for the same reason, and counts the runs beyond four", () => {
  const metrics = ["nc1", "nc3"];
  const lacks = [1, 2, 3, 4, 5, 6].flatMap((seed) =>
    metrics.map((metric) => ({ run: `r${seed}`, group: "ce", metric, reason: "not evaluated" })),
  );
  expect(describeLacks([...lacks, { run: "r7", group: null, metric: "nc1", reason: "no such metric" }])).toEqual([
    "r1 of ce, r2 of ce, r3 of ce, r4 of ce and 2 more have no nc1, nc3: not evaluated",
    "r7 of (no group) has no nc1: no such metric",
  ]);
});
