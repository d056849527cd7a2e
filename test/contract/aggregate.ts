import { describe, expect, it } from "vitest";
import { type AggregateRequest, type AggregateRow, aggregate } from "../../src/database/aggregate.ts";
import type { Database } from "../../src/database/database.ts";
import { evaluated, fresh } from "../database/samples.ts";

/** What aggregates over seeds must be, on every database. */
export function aggregateContract(open: () => Database): void {
  describe("an aggregate", () => {
    const last: AggregateRequest = { by: "group", epoch: "last" };

    it("summarises each group over its seeds", async () => {
      const experiment = await seeds({ ce: [[3], [1], [2]], nc: [[0.5]] });
      const rows = await aggregate(open(), { ...last, experiment });
      expect(rows).toMatchObject([
        {
          group: "ce",
          metric: "nc1",
          dataset: "digits",
          protocol: "p1",
          n: 3,
          mean: 2,
          sd: 1,
          median: 2,
          min: 1,
          max: 3,
        },
        { group: "nc", metric: "nc1", n: 1, mean: 0.5, sd: null, se: null, ci95: null },
      ]);
      expect(rows[0]).toMatchObject({ epochs: [1], epochsDiffer: false });
      expect(rows[0]!.perSeed.map(({ seed, epoch, value }) => [seed, epoch, value])).toEqual([
        [1, 1, 3],
        [2, 1, 1],
        [3, 1, 2],
      ]);
    });

    it("takes each run's own last epoch and flags that they differ", async () => {
      const experiment = await seeds({
        ce: [
          [9, 9, 1],
          [9, 2],
        ],
      });
      const [row] = await aggregate(open(), { ...last, experiment });
      expect(row).toMatchObject({ n: 2, mean: 1.5, epochs: [2, 3], epochsDiffer: true });
    });

    it("takes one epoch, or every epoch as a row of its own", async () => {
      const experiment = await seeds({
        ce: [
          [4, 1],
          [6, 3],
        ],
      });
      const at = (epoch: AggregateRequest["epoch"]) => aggregate(open(), { by: "group", experiment, epoch });
      const trajectory = [
        { epochs: [1], mean: 5, n: 2 },
        { epochs: [2], mean: 2, n: 2 },
      ];
      expect(await at("all")).toMatchObject(trajectory);
      expect(await at(1)).toMatchObject([trajectory[0]]);
      expect(await at(7)).toEqual([]);
    });

    it("never mixes datasets or protocols", async () => {
      const experiment = fresh("experiment");
      const run = { id: fresh("run"), experiment, group: "ce" };
      await evaluated(open(), { run, values: { nc1: 1 } });
      await evaluated(open(), { run, dataset: "mnist", protocol: "p2", values: { nc1: 2 } });
      await evaluated(open(), { run, dataset: "mnist", protocol: "p3", epoch: 0, values: { nc1: 3 } });
      const rowsOf = (rows: AggregateRow[]) =>
        rows.map(({ dataset, protocol, mean, n }) => [dataset, protocol, mean, n]);
      expect(rowsOf(await aggregate(open(), { ...last, experiment }))).toEqual([
        ["digits", "p1", 1, 1],
        ["mnist", "p2", 2, 1],
        ["mnist", "p3", 3, 1],
      ]);
      const mnist = await aggregate(open(), { ...last, experiment, dataset: "mnist" });
      expect(mnist.map(({ protocol }) => protocol)).toEqual(["p2", "p3"]);
    });

    it("counts a run once, with its newest success", async () => {
      const experiment = fresh("experiment");
      const run = { id: fresh("run"), experiment, group: "ce" };
      const sha256 = fresh("sha");
      await evaluated(open(), { run, sha256, values: { nc1: 1 } });
      await evaluated(open(), { run, sha256, values: { nc1: 2 } }, true);
      await evaluated(open(), { run, sha256, values: { nc1: 3 } });
      expect(await aggregate(open(), { ...last, experiment })).toMatchObject([{ n: 1, mean: 2 }]);
      await evaluated(open(), { run, values: { nc1: 4 } }); // other bytes at the same epoch
      expect(await aggregate(open(), { ...last, experiment, epoch: "all" })).toMatchObject([{ n: 1, mean: 4 }]);
    });

    it("groups by a label, an experiment or a seed; who does not say is under null", async () => {
      const experiment = fresh("experiment");
      await evaluated(open(), { run: { experiment, seed: 10, labels: { lr: "0.1" } }, values: { nc1: 1 } });
      await evaluated(open(), { run: { experiment, seed: 10, labels: { lr: "0.2" } }, values: { nc1: 2 } });
      await evaluated(open(), { run: { experiment }, values: { nc1: 4 } });
      const means = async (by: string) =>
        (await aggregate(open(), { by, epoch: "last", experiment })).map(({ group, mean }) => [group, mean]);
      expect(await means("lr")).toEqual([
        ["0.1", 1],
        ["0.2", 2],
        [null, 4],
      ]);
      expect(await means("seed")).toEqual([
        ["10", 1.5],
        [null, 4],
      ]);
      expect(await means("experiment")).toEqual([[experiment, 7 / 3]]);
      expect(await means("group")).toEqual([[null, 7 / 3]]);
    });

    it("holds only the metrics asked for", async () => {
      const experiment = fresh("experiment");
      await evaluated(open(), { run: { experiment }, values: { nc1: 1, nc3: 2, accuracy: 0.9 } });
      const rows = await aggregate(open(), { ...last, experiment, metrics: ["nc3", "accuracy"] });
      expect(rows.map(({ metric }) => metric)).toEqual(["accuracy", "nc3"]);
      expect(await aggregate(open(), { ...last, experiment, metrics: [] })).toEqual([]);
    });

    /** Evaluates one run per list of values of NC1, one value per epoch from 1, and returns the experiment. */
    async function seeds(groups: Record<string, number[][]>): Promise<string> {
      const experiment = fresh("experiment");
      for (const [group, runs] of Object.entries(groups)) {
        for (const [i, values] of runs.entries()) {
          const run = { id: fresh("run"), experiment, group, seed: i + 1 };
          for (const [e, nc1] of values.entries()) await evaluated(open(), { run, epoch: e + 1, values: { nc1 } });
        }
      }
      return experiment;
    }
  });
}
