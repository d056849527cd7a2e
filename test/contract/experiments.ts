import { describe, expect, it } from "vitest";
import { aggregate } from "../../src/database/aggregate.ts";
import type { Database } from "../../src/database/database.ts";
import {
  cancelEvaluation,
  failEvaluation,
  getEvaluation,
  postponeEvaluation,
  retryEvaluation,
  startEvaluation,
} from "../../src/database/evaluations.ts";
import { type ExperimentRequest, getExperiment, labelKeys, listExperiments } from "../../src/database/experiments.ts";
import { recordedPlaces } from "../../src/database/groupValues.ts";
import { recordEvaluation } from "../../src/database/record.ts";
import { listRuns } from "../../src/database/runs.ts";
import { submitEvaluation } from "../../src/database/submissions.ts";
import { trajectories } from "../../src/database/trajectories.ts";
import { evaluated, fresh, outcome, submission } from "../database/samples.ts";

/** What lists of experiments, trajectories and the log of attempts must be, on every database. */
export function experimentContract(open: () => Database): void {
  /** Evaluates a run for each trajectory, with the seeds 1, 2, …; the values are NC1 at epochs 1, 2, …. */
  async function seeds(
    experiment: string,
    groups: Record<string, number[][]>,
    { labels = {}, ...place }: { labels?: Record<string, string>; dataset?: string; protocol?: string } = {},
  ): Promise<void> {
    for (const [group, members] of Object.entries(groups))
      for (const [i, values] of members.entries()) {
        const run = { id: `${experiment}-${group}-${i + 1}`, experiment, group, seed: i + 1, labels };
        for (const [e, nc1] of values.entries())
          await evaluated(open(), { run, ...place, epoch: e + 1, values: { nc1, nc3: 2 * nc1 } });
      }
  }

  const ask = (request: Partial<ExperimentRequest>) =>
    listExperiments(open(), { sort: "name", limit: 100, by: "group", metric: "nc1", ...request });

  describe("the experiments", () => {
    it("fold the seeds of each group as the aggregate does, to the last bit", async () => {
      const experiment = fresh("experiment");
      await seeds(experiment, { ce: [[9, 0.1], [9, 0.7], [0.3]], nc: [[5]] });
      const { items } = await ask({ q: experiment });
      expect(items).toMatchObject([{ experiment, runs: 4, seeds: 3, groups: [{ group: "ce", runs: 3 }, { runs: 1 }] }]);
      const rows = await aggregate(open(), { experiment, by: "group", metrics: ["nc1"], epoch: "last" });
      const summaries = rows.map(({ group, epochs, dataset, protocol, n, mean, sd, ci95, min, max }) => ({
        group,
        values: [{ epochs, dataset, protocol, n, mean, sd, ci95, min, max }],
      }));
      expect(items[0]!.groups).toMatchObject(summaries);
      expect(items[0]!.groups[0]!.values[0]!.epochs).toEqual([1, 2]);
    });

    it("never mix datasets or protocols, group by labels, and show groups without the metric", async () => {
      const experiment = fresh("experiment");
      await seeds(experiment, { ce: [[1], [3]] }, { labels: { lr: "0.1" } });
      await seeds(experiment, { nc: [[7]] }, { dataset: "mnist", protocol: "p2", labels: { lr: "0.1" } });
      const [byLabel] = (await ask({ q: experiment, by: "lr" })).items;
      expect(byLabel!.groups).toMatchObject([
        {
          group: "0.1",
          runs: 3,
          values: [
            { dataset: "digits", protocol: "p1", n: 2, mean: 2 },
            { dataset: "mnist", protocol: "p2", n: 1, mean: 7, sd: null },
          ],
        },
      ]);
      const [without] = (await ask({ q: experiment, metric: "ece" })).items;
      expect(without!.groups).toMatchObject([
        { group: "ce", values: [] },
        { group: "nc", values: [] },
      ]);
      expect(await getExperiment(open(), experiment, { by: "lr", metric: "nc1" })).toEqual(byLabel);
      expect(await labelKeys(open(), experiment)).toEqual(["lr"]);
      expect(await recordedPlaces(open(), experiment)).toEqual([
        { dataset: "digits", protocol: "p1", runs: 2, metrics: ["nc1", "nc3"] },
        { dataset: "mnist", protocol: "p2", runs: 1, metrics: ["nc1", "nc3"] },
      ]);
    });

    it("are found by any part of name, run, group or label, in whatever case", async () => {
      const experiment = fresh("Ex%periment_");
      await seeds(experiment, { SpectralNorm: [[1]] }, { labels: { optimiser: "Lion" } });
      for (const q of [experiment.toLowerCase(), `${experiment}-spectralnorm-1`]) {
        expect((await ask({ q })).items.map((item) => item.experiment)).toEqual([experiment]);
        expect((await listRuns(open(), { q, limit: 10 })).items.map(({ id }) => id)).toEqual([
          `${experiment}-SpectralNorm-1`,
        ]);
      }
      expect((await ask({ q: "LION" })).items.map((item) => item.experiment)).toContain(experiment);
      expect((await ask({ q: `${experiment}x` })).items).toEqual([]);
    });

    it("come in the order asked for, each once over the pages, those without a name too", async () => {
      const name = fresh("ordered");
      for (const [suffix, count] of [
        ["a", 2],
        ["b", 3],
        ["c", 2],
      ] as const)
        await seeds(`${name}-${suffix}`, { ce: Array.from({ length: count }, () => [1]) });
      await evaluated(open(), { run: { labels: { of: name } } });
      const paged = async (sort: ExperimentRequest["sort"]) => {
        const names: (string | null)[] = [];
        for (let cursor: string | undefined; ; ) {
          const { items, next } = await ask({ q: name, sort, limit: 1, cursor });
          names.push(
            ...items.map(({ experiment }) => (experiment === null ? null : experiment.slice(name.length + 1))),
          );
          if (next === null) return names;
          cursor = next;
        }
      };
      expect(await paged("name")).toEqual([null, "a", "b", "c"]);
      expect(await paged("-name")).toEqual(["c", "b", "a", null]);
      // without a name are those of other tests, too
      expect((await paged("runs")).filter((suffix) => suffix !== null)).toEqual(["a", "c", "b"]);
      expect(await paged("-updated")).toEqual([null, "c", "b", "a"]);
      await seeds(`${name}-a`, { ce: [[1, 2]] });
      expect(await paged("-updated")).toEqual(["a", null, "c", "b"]);
    });

    it("refuse what is no cursor, and a name that is none", async () => {
      await expect(ask({ cursor: "nonsense" })).rejects.toMatchObject({ code: "invalid-request" });
      const nowhere = getExperiment(open(), "nowhere", { by: "group", metric: "nc1" });
      await expect(nowhere).rejects.toMatchObject({ code: "not-found" });
    });
  });

  describe("trajectories", () => {
    it("are the numbers of the aggregate at every epoch, by column, with the values of each seed", async () => {
      const experiment = fresh("experiment");
      await seeds(experiment, { ce: [[4, 2, 1], [6, 3], [0.1]], nc: [[7]] });
      const selection = { experiment, by: "group", metrics: ["nc1", "nc3"] };
      const found = await trajectories(open(), selection);
      expect(found.map(({ group, metric }) => [group, metric])).toEqual([
        ["ce", "nc1"],
        ["ce", "nc3"],
        ["nc", "nc1"],
        ["nc", "nc3"],
      ]);
      const rows = await aggregate(open(), { ...selection, epoch: "all" });
      const points = found.flatMap(({ group, metric, epochs, n, mean, low, high }) =>
        epochs.map((epoch, i) => [group, metric, epoch, n[i], mean[i], low[i] === null ? null : [low[i], high[i]]]),
      );
      expect(points).toEqual(
        rows.map(({ group, metric, epochs, n, mean, ci95 }) => [group, metric, epochs[0], n, mean, ci95]),
      );
      expect(found[0]!.seeds.map(({ seed, values }) => [seed, values])).toEqual([
        [1, [4, 2, 1]],
        [2, [6, 3, null]],
        [3, [0.1, null, null]],
      ]);
      expect(await trajectories(open(), { ...selection, metrics: ["ece"] })).toEqual([]);
    });
  });

  describe("the log of attempts", () => {
    const logOf = async (id: string) =>
      (await getEvaluation(open(), id)).attemptLog.map(({ attempt, endedAt, status, error }) => [
        ...[attempt, endedAt !== null, status, error?.code ?? null],
      ]);
    const submitted = async () => (await submitEvaluation(open(), submission())).evaluation.id;

    it("tells of each attempt when it began and ended, and how", async () => {
      const id = await submitted();
      expect(await logOf(id)).toEqual([]);
      await startEvaluation(open(), id);
      expect(await logOf(id)).toEqual([[1, false, null, null]]);
      await postponeEvaluation(open(), { id }, { code: "storage-unavailable", message: "no answer" });
      await startEvaluation(open(), id);
      await failEvaluation(open(), { id }, { code: "object-not-found", message: "gone" });
      await retryEvaluation(open(), id);
      await startEvaluation(open(), id);
      await recordEvaluation(open(), id, outcome());
      expect(await logOf(id)).toEqual([
        [1, true, "queued", "storage-unavailable"],
        [2, true, "failed", "object-not-found"],
        [3, true, "succeeded", null],
      ]);
      const { attemptLog } = await getEvaluation(open(), id);
      const times = attemptLog.flatMap(({ startedAt, endedAt }) => [Date.parse(startedAt), Date.parse(endedAt!)]);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(Math.abs(times[0]! - Date.now())).toBeLessThan(60_000);
    });

    it("leaves open the attempt whose worker was lost, and does not change when what waits is cancelled", async () => {
      const id = await submitted();
      await startEvaluation(open(), id);
      await startEvaluation(open(), id);
      await postponeEvaluation(open(), { id });
      const log = [
        [1, false, null, null],
        [2, true, "queued", null],
      ];
      expect(await logOf(id)).toEqual(log);
      await cancelEvaluation(open(), id);
      expect(await logOf(id)).toEqual(log);
    });
  });
}
