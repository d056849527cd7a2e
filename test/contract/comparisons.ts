import { describe, expect, it } from "vitest";
import { type ComparisonRequest, compare } from "../../src/database/compare.ts";
import type { Database } from "../../src/database/database.ts";
import { hedgesG } from "../../src/statistics/effectSize.ts";
import { pairedTest, welchTest } from "../../src/statistics/tTest.ts";
import { wilcoxonTest } from "../../src/statistics/wilcoxon.ts";
import { evaluated, fresh } from "../database/samples.ts";

/** What comparisons of two groups must be, on every database. */
export function comparisonContract(open: () => Database): void {
  describe("a comparison", () => {
    const between: Omit<ComparisonRequest, "experiment"> = { a: "ce", b: "nc", by: "group", epoch: "last" };

    it("tests each metric over all values, and over the seeds that both groups have", async () => {
      const experiment = fresh("experiment");
      const ce = [0.91, 0.93, 0.92, 0.95, 0.9];
      const nc = [0.94, 0.95, 0.93, 0.97];
      await record(experiment, "ce", { accuracy: ce, nc1: [5, 6, 7, 8, 9] });
      await record(experiment, "nc", { accuracy: nc, nc1: [5, 6, 7, 9] });
      const [accuracy, nc1] = await compare(open(), { ...between, experiment });
      expect(accuracy).toMatchObject({
        ...{ metric: "accuracy", dataset: "digits", protocol: "p1", epochsDiffer: false, sharedSeeds: [1, 2, 3, 4] },
        a: { n: 5, mean: 0.922, epochs: [1], missing: [] },
        b: { n: 4, min: 0.93, max: 0.97 },
        unpaired: [
          { side: "a", run: `${experiment}-ce-5`, seed: 5, reason: "the other group has no value of this seed" },
        ],
        welch: welchTest(ce, nc),
        paired: pairedTest(ce.slice(0, 4), nc),
        wilcoxon: wilcoxonTest(ce.slice(0, 4), nc),
        hedges: hedgesG(ce, nc),
      });
      expect(accuracy!.welch.difference).toBeCloseTo(0.922 - 0.9475, 12);
      expect(accuracy!.welch.pHolm).toBe(2 * accuracy!.welch.p!);
      expect(nc1!.welch.pHolm).toBe(nc1!.welch.p);
      expect(accuracy!.wilcoxon.pHolm).toBe(Math.min(1, 2 * accuracy!.wilcoxon.p!));
    });

    it("states what it could not test, and who is missing, and never gives NaN", async () => {
      const experiment = fresh("experiment");
      await record(experiment, "ce", { nc1: [1, 1, 1], nc3: [2, 3, 4] });
      await record(experiment, "nc", { nc1: [2] });
      const [nc1, nc3] = await compare(open(), { ...between, experiment });
      expect(nc1).toMatchObject({
        sharedSeeds: [1],
        welch: { difference: -1, t: null, p: null, pHolm: null, reason: "a group has fewer than 2 values" },
        paired: { difference: -1, p: null, pHolm: null, reason: "fewer than 2 pairs" },
        wilcoxon: { n: 1, w: null, p: null, pHolm: null, method: null, reason: "fewer than 2 pairs" },
        hedges: { g: null, ci95: null, reason: "a group has fewer than 2 values" },
      });
      expect(nc3).toMatchObject({ a: { n: 3, missing: [] }, b: { n: 0, mean: null }, welch: { difference: null } });
      expect(nc3!.b.missing).toEqual([
        { run: `${experiment}-nc-1`, seed: 1, reason: "its evaluation has no such metric" },
      ]);
      expect(JSON.stringify([nc1, nc3], (_, value) => (Number.isNaN(value) ? "NaN" : value))).not.toContain("NaN");
    });

    it("pairs no run without a seed, and none whose seed another run of its group has", async () => {
      const experiment = fresh("experiment");
      await record(experiment, "ce", { nc1: [1, 2] });
      await record(experiment, "nc", { nc1: [3, 5] });
      await evaluated(open(), { run: { id: `${experiment}-x`, experiment, group: "ce", seed: 2 }, values: { nc1: 4 } });
      await evaluated(open(), { run: { id: `${experiment}-y`, experiment, group: "nc" }, values: { nc1: 6 } });
      const [row] = await compare(open(), { ...between, experiment });
      expect(row).toMatchObject({ a: { n: 3 }, b: { n: 3 }, sharedSeeds: [1] });
      const twice = "several runs of a group have this seed";
      expect(row!.unpaired.map(({ side, run, reason }) => [side, run.replace(experiment, ""), reason])).toEqual([
        ["a", "-ce-2", twice],
        ["a", "-x", twice],
        ["b", "-nc-2", twice],
        ["b", "-y", "it has no seed"],
      ]);
    });

    it("never mixes datasets or protocols, and corrects over all rows", async () => {
      const experiment = fresh("experiment");
      await record(experiment, "ce", { nc1: [1, 2, 3] });
      await record(experiment, "nc", { nc1: [4, 5, 7] });
      await record(experiment, "ce", { nc1: [1, 2, 4] }, { dataset: "mnist", protocol: "p2" });
      const rows = await compare(open(), { ...between, experiment });
      expect(rows.map(({ dataset, protocol, a, b }) => [dataset, protocol, a.n, b.n])).toEqual([
        ["digits", "p1", 3, 3],
        ["mnist", "p2", 3, 0],
      ]);
      expect(rows[0]!.welch.pHolm).toBe(rows[0]!.welch.p); // the other row has no test
      expect(await compare(open(), { ...between, experiment, dataset: "digits" })).toEqual([rows[0]]);
    });

    it("takes the epoch it is told, and flags that epochs differ", async () => {
      const experiment = fresh("experiment");
      await record(experiment, "ce", { nc1: [4, 5] });
      await record(experiment, "ce", { nc1: [1, 2] }, { epoch: 2 });
      await record(experiment, "nc", { nc1: [7, 9] });
      const at = async (epoch: ComparisonRequest["epoch"]) =>
        (await compare(open(), { ...between, experiment, epoch }))[0];
      expect(await at("last")).toMatchObject({ a: { mean: 1.5, epochs: [2] }, b: { mean: 8 }, epochsDiffer: true });
      expect(await at(1)).toMatchObject({ a: { mean: 4.5 }, b: { mean: 8 }, epochsDiffer: false });
      expect(await at({ metric: "nc1", direction: "max" })).toMatchObject({ a: { mean: 4.5, epochs: [1] } });
      expect((await at(2))!.b).toMatchObject({ n: 0, missing: [{ seed: 1 }, { seed: 2 }] });
    });

    it("compares by a label, and of a group that is not there says so", async () => {
      const experiment = fresh("experiment");
      for (const lr of ["0.1", "0.2"])
        for (const seed of [1, 2])
          await evaluated(open(), { run: { experiment, seed, labels: { lr } }, values: { nc1: seed / Number(lr) } });
      const [row] = await compare(open(), { ...between, by: "lr", a: "0.1", b: "0.2", experiment });
      expect(row).toMatchObject({ a: { n: 2 }, b: { n: 2 }, sharedSeeds: [1, 2] });
      const absent = compare(open(), { ...between, by: "lr", a: "0.1", b: "0.3", experiment });
      await expect(absent).rejects.toMatchObject({ code: "not-found" });
      await expect(absent).rejects.toThrow('no evaluated run of this selection has lr "0.3"');
    });

    /** Records a run per seed from 1, with its value of each metric. */
    async function record(
      experiment: string,
      group: string,
      metrics: Record<string, number[]>,
      changes: { dataset?: string; protocol?: string; epoch?: number } = {},
    ): Promise<void> {
      for (const i of Object.values(metrics)[0]!.keys()) {
        const run = { id: `${experiment}-${group}-${i + 1}`, experiment, group, seed: i + 1 };
        const values = Object.fromEntries(Object.entries(metrics).map(([name, list]) => [name, list[i]!]));
        await evaluated(open(), { run, values, ...changes });
      }
    }
  });
}
