import { describe, expect, it } from "vitest";
import { type CorrelationRequest, correlate } from "../../src/database/correlations.ts";
import type { Database } from "../../src/database/database.ts";
import { pearson, spearman } from "../../src/statistics/correlation.ts";
import { evaluated, fresh } from "../database/samples.ts";

/** What correlations over runs must be, on every database. */
export function correlationContract(open: () => Database): void {
  describe("a correlation", () => {
    const Y = "auroc:mnist:gmm";
    const asked: Omit<CorrelationRequest, "experiment"> = { x: "nc1", y: Y, by: "group", epoch: "last" };

    it("is over all runs and over those of each group, with the points", async () => {
      const experiment = fresh("experiment");
      const ce: Point[] = [
        [0.5, 0.9],
        [0.4, 0.91],
        [0.45, 0.87],
        [0.6, 0.8],
      ];
      const nc: Point[] = [
        [0.1, 0.97],
        [0.2, 0.99],
      ];
      await record(experiment, "nc", nc);
      await record(experiment, "ce", ce);
      const [row, ...rest] = await correlate(open(), { ...asked, experiment });
      expect(rest).toEqual([]);
      const [x, y] = [0, 1].map((i) => [...ce, ...nc].map((point) => point[i]!));
      expect(row).toMatchObject({ dataset: "digits", protocol: "p1", n: 6, missing: [] });
      expect(row).toMatchObject({ pearson: pearson(x!, y!), spearman: spearman(x!, y!) });
      expect(row!.pearson.r).toBeLessThan(-0.8);
      expect(row!.groups).toMatchObject([
        { group: "ce", n: 4, pearson: { reason: null } },
        { group: "nc", n: 2, pearson: { r: null, p: null, ci95: null, reason: "fewer than 3 pairs" } },
      ]);
      const of =
        (group: string) =>
        ([x, y]: Point, i: number) => ({
          ...{ run: `${experiment}-${group}-${i + 1}`, group, seed: i + 1, epoch: 1, x, y },
        });
      expect(row!.points).toEqual([...ce.map(of("ce")), ...nc.map(of("nc"))]);
    });

    it("names the runs that lack one of the metrics", async () => {
      const experiment = fresh("experiment");
      await record(experiment, "ce", [[0.5, 0.9]]);
      const run = { id: `${experiment}-x`, experiment, group: "ce", seed: 7 };
      await evaluated(open(), { run, values: { nc1: 1 }, omitted: { [Y]: "a covariance cannot be factored" } });
      const [row] = await correlate(open(), { ...asked, experiment });
      expect(row).toMatchObject({ n: 1, pearson: { r: null }, spearman: { reason: "fewer than 3 pairs" } });
      const reason = "a covariance cannot be factored";
      expect(row!.missing).toEqual([{ run: run.id, seed: 7, group: "ce", metric: Y, reason }]);
    });

    it("never mixes datasets or protocols", async () => {
      const experiment = fresh("experiment");
      await record(experiment, "ce", [[0.5, 0.9]]);
      await record(experiment, "ce", [[0.6, 0.8]], { dataset: "mnist", protocol: "p2" });
      const placesOf = async (request: CorrelationRequest) =>
        (await correlate(open(), request)).map(({ dataset, protocol, n }) => [dataset, protocol, n]);
      expect(await placesOf({ ...asked, experiment })).toEqual([
        ["digits", "p1", 1],
        ["mnist", "p2", 1],
      ]);
      expect(await placesOf({ ...asked, experiment, dataset: "mnist" })).toEqual([["mnist", "p2", 1]]);
      expect(await placesOf({ ...asked, experiment: fresh("experiment") })).toEqual([]);
    });

    it("takes one epoch of each run", async () => {
      const experiment = fresh("experiment");
      await record(experiment, "ce", [[0.5, 0.9]]);
      await record(experiment, "ce", [[0.3, 0.8]], { epoch: 2 });
      const at = async (epoch: CorrelationRequest["epoch"]) =>
        (await correlate(open(), { ...asked, experiment, epoch }))[0]!.points.map((point) => [point.epoch, point.x]);
      expect(await at("last")).toEqual([[2, 0.3]]);
      expect(await at(1)).toEqual([[1, 0.5]]);
      expect(await at({ metric: Y, direction: "max" })).toEqual([[1, 0.5]]);
    });

    type Point = readonly [x: number, y: number];

    async function record(
      experiment: string,
      group: string,
      points: readonly Point[],
      changes: { dataset?: string; protocol?: string; epoch?: number } = {},
    ): Promise<void> {
      for (const [i, [nc1, gmm]] of points.entries()) {
        const run = { id: `${experiment}-${group}-${i + 1}`, experiment, group, seed: i + 1 };
        await evaluated(open(), { run, values: { nc1, [Y]: gmm }, ...changes });
      }
    }
  });
}
