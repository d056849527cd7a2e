import { describe, expect, it } from "vitest";
import { type AggregateRow, aggregate } from "../../src/database/aggregate.ts";
import type { Database } from "../../src/database/database.ts";
import type { Selection } from "../../src/database/selection.ts";
import { evaluated, fresh } from "../database/samples.ts";

/** What aggregates over seeds must be, on every database. */
export function aggregateContract(open: () => Database): void {
  describe("an aggregate", () => {
    const last: Selection = { by: "group", epoch: "last" };

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
      const at = (epoch: Selection["epoch"]) => aggregate(open(), { by: "group", experiment, epoch });
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

    it("chooses each run's best epoch by any metric, of equal ones the earliest", async () => {
      const experiment = fresh("experiment");
      const trajectories: Record<number, Record<string, number>[]> = {
        1: [
          { accuracy: 0.5, nc1: 3 },
          { accuracy: 0.9, nc1: 2 },
          { accuracy: 0.9, nc1: 1 },
        ],
        2: [{ nc1: 5 }, { accuracy: 0.7, nc1: 4 }, { accuracy: 0.6, nc1: 6 }],
        3: [{ nc1: 0.125 }],
      };
      for (const [seed, epochs] of Object.entries(trajectories)) {
        const run = { id: `${experiment}-${seed}`, experiment, group: "ce", seed: Number(seed) };
        for (const [e, values] of epochs.entries()) await evaluated(open(), { run, epoch: e + 1, values });
      }
      const at = (metric: string, direction: "min" | "max") =>
        aggregate(open(), { by: "group", experiment, metrics: ["nc1"], epoch: { metric, direction } });
      const chosen = ([row]: AggregateRow[]) => row!.perSeed.map(({ seed, epoch, value }) => [seed, epoch, value]);
      const [best] = await at("accuracy", "max");
      expect(chosen([best!])).toEqual([
        [1, 2, 2],
        [2, 2, 4],
      ]);
      expect(best).toMatchObject({ epochsDiffer: false });
      expect(best!.missing).toEqual([
        { run: `${experiment}-3`, seed: 3, reason: "no epoch has accuracy with this protocol" },
      ]);
      expect(chosen(await at("accuracy", "min"))).toEqual([
        [1, 1, 3],
        [2, 3, 6],
      ]);
      expect(chosen(await at("nc1", "min"))).toEqual([
        [1, 3, 1],
        [2, 2, 4],
        [3, 1, 0.125],
      ]);
    });

    it("chooses the best epoch among the newest successes only", async () => {
      const experiment = fresh("experiment");
      const run = { id: fresh("run"), experiment, group: "ce", seed: 1 };
      const sha256 = fresh("sha");
      await evaluated(open(), { run, sha256, epoch: 1, values: { nc1: 1 } });
      await evaluated(open(), { run, sha256, epoch: 1, values: { nc1: 9 } }, true);
      await evaluated(open(), { run, epoch: 2, values: { nc1: 5 } });
      const epoch = { metric: "nc1", direction: "min" } as const;
      expect(await aggregate(open(), { by: "group", experiment, epoch })).toMatchObject([{ mean: 5, epochs: [2] }]);
    });

    it("names the runs that lack a metric, and why", async () => {
      const experiment = fresh("experiment");
      const run = (seed: number) => ({ id: `${experiment}-${seed}`, experiment, group: "ce", seed });
      const omitted = { nc3: "all of W is zero" };
      await evaluated(open(), { run: run(1), values: { nc1: 1, nc3: 3, ece: 0.1 } });
      await evaluated(open(), { run: run(2), values: { nc1: 2 }, omitted });
      await evaluated(open(), { run: run(3), values: { nc1: 4 }, omitted: {} });
      await evaluated(open(), { run: run(4), values: { nc1: 8 }, omitted: { calibration: "no test set" } });
      await evaluated(open(), { run: run(5), protocol: "p2", values: { nc1: 16 } });
      await evaluated(open(), { run: run(6), dataset: "mnist", protocol: "p3", values: { nc1: 32 } });
      const rows = await aggregate(open(), { ...last, experiment, dataset: "digits" });
      const otherProtocol = "not evaluated with this protocol";
      const missing = rows.map(({ metric, protocol, n, missing }) => ({
        ...{ metric, protocol, n },
        missing: missing.map(({ seed, reason }) => [seed, reason]),
      }));
      expect(missing).toEqual([
        {
          ...{ metric: "ece", protocol: "p1", n: 1 },
          missing: [
            [2, "its evaluation has no such metric"],
            [3, "its evaluation has no such metric"],
            [4, "no test set"],
            [5, otherProtocol],
          ],
        },
        { metric: "nc1", protocol: "p1", n: 4, missing: [[5, otherProtocol]] },
        { metric: "nc1", protocol: "p2", n: 1, missing: [1, 2, 3, 4].map((seed) => [seed, otherProtocol]) },
        {
          ...{ metric: "nc3", protocol: "p1", n: 1 },
          missing: [
            [2, "all of W is zero"],
            [3, "its evaluation has no such metric"],
            [4, "its evaluation has no such metric"],
            [5, otherProtocol],
          ],
        },
      ]);
      expect(rows[1]!.missing[0]!.run).toBe(`${experiment}-5`);
    });

    it("gives as the reason what was left out as a whole, and only of what belongs to it", async () => {
      const experiment = fresh("experiment");
      const omitted = { after_ddu_grid: "no validation part", "ood:digits:test": "no test set" };
      await evaluated(open(), { run: { experiment, seed: 1 }, values: { nc1: 1 }, omitted });
      const metrics = ["ece", "ece:after_ddu_grid", "auroc:digits:gmm", "auroc:digits:test:gmm"];
      const rows = await aggregate(open(), { ...last, experiment, metrics });
      expect(Object.fromEntries(rows.map(({ metric, missing }) => [metric, missing[0]!.reason]))).toEqual({
        ece: "its evaluation has no such metric",
        "ece:after_ddu_grid": "no validation part",
        "auroc:digits:gmm": "its evaluation has no such metric",
        "auroc:digits:test:gmm": "no test set",
      });
    });

    it("refuses to group by a label that no run has", async () => {
      const experiment = fresh("experiment");
      const labels = { optimiser: "sgd" };
      await evaluated(open(), { run: { experiment, labels }, values: { nc1: 1 } });
      await evaluated(open(), { run: { experiment }, values: { nc1: 2 } });
      const groups = (await aggregate(open(), { ...last, experiment, by: "optimiser" })).map(({ group }) => group);
      expect(groups).toEqual(["sgd", null]);
      await expect(aggregate(open(), { ...last, experiment, by: "optimizer" })).rejects.toMatchObject({
        ...{ code: "not-found", message: expect.stringContaining('label "optimizer", expected group, experiment') },
      });
    });

    it("has a row for a group without any value, and for a metric that nobody has", async () => {
      const experiment = fresh("experiment");
      await evaluated(open(), { run: { experiment, group: "ce", seed: 1 }, values: { nc1: 1, nc3: 2 } });
      await evaluated(open(), { run: { experiment, group: "nc", seed: 1 }, values: { nc1: 3 } });
      const rows = await aggregate(open(), { ...last, experiment });
      expect(rows.map(({ group, metric, n }) => [group, metric, n])).toEqual([
        ["ce", "nc1", 1],
        ["ce", "nc3", 1],
        ["nc", "nc1", 1],
        ["nc", "nc3", 0],
      ]);
      expect(rows[3]).toMatchObject({ mean: null, sd: null, ci95: null, median: null, epochs: [], perSeed: [] });
      expect(rows[3]!.missing).toHaveLength(1);
      const gmm = await aggregate(open(), { ...last, experiment, metrics: ["auroc:mnist:gmm"] });
      expect(gmm).toMatchObject([
        { group: "ce", n: 0, missing: [{ seed: 1, reason: "no such set was asked for" }] },
        { group: "nc", n: 0, missing: [{ seed: 1, reason: "no such set was asked for" }] },
      ]);
    });

    it("says at which epochs a seed is missing", async () => {
      const experiment = await seeds({ ce: [[4, 1], [6]] });
      const rows = await aggregate(open(), { by: "group", experiment, epoch: "all" });
      expect(rows.map(({ epochs, n, missing }) => [epochs, n, missing.map(({ seed }) => seed)])).toEqual([
        [[1], 2, []],
        [[2], 1, [2]],
      ]);
      const [second] = await aggregate(open(), { by: "group", experiment, epoch: 2 });
      expect(second!.missing).toMatchObject([{ seed: 2, reason: "not evaluated at epoch 2 with this protocol" }]);
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
