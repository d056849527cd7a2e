import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import {
  countUnfinished,
  failEvaluation,
  getDetails,
  getEvaluation,
  postponeEvaluation,
  reportProgress,
  startEvaluation,
} from "../../src/database/evaluations.ts";
import { listEvaluations } from "../../src/database/listEvaluations.ts";
import { findSameBytes, recordEvaluation } from "../../src/database/record.ts";
import { runMetrics } from "../../src/database/runMetrics.ts";
import { getRun, listRuns } from "../../src/database/runs.ts";
import { evaluations, metricValues } from "../../src/database/schema.ts";
import { submitEvaluation } from "../../src/database/submissions.ts";
import { evaluated, fresh, outcome, submission } from "../database/samples.ts";
import { aggregateContract } from "./aggregate.ts";
import { comparisonContract } from "./comparisons.ts";
import { correlationContract } from "./correlations.ts";
import { experimentContract } from "./experiments.ts";

/** What every database must do. `open` gives an empty one. */
export function databaseContract(name: string, open: () => Promise<Database>): void {
  describe(name, () => {
    let database: Database;
    beforeAll(async () => {
      database = await open();
    });
    afterAll(() => database.close());

    describe("statements that are one transaction", () => {
      const insert = (...ids: string[]) => ({
        text: "insert into runs (id) select unnest($1::text[]) returning id",
        parameters: [ids],
      });
      const all = { text: "select count(*)::int as count from runs where id like $1", parameters: ["transact-%"] };

      it("tell the rows of each, and see what those before did", async () => {
        const [written, counted] = await database.transact([insert("transact-1", "transact-2"), all]);
        expect(written).toEqual([{ id: "transact-1" }, { id: "transact-2" }]);
        expect(counted).toEqual([{ count: 2 }]);
      });

      it("are all undone where one fails, whose error is told, and those after them are done", async () => {
        const refused = database.transact([insert("transact-3"), insert("transact-1"), insert("transact-4")]);
        const next = database.transact([all]);
        expect(String(await refused.catch((error) => error.cause ?? error))).toContain("runs_pkey");
        expect(await next).toEqual([[{ count: 2 }]]);
      });
    });

    describe("a submission", () => {
      it("is queued as it was sent", async () => {
        const sent = submission();
        const { evaluation, created } = await submitEvaluation(database, sent);
        expect(created).toBe(true);
        expect(evaluation).toMatchObject({ ...sent, status: "queued", attempts: 0, run: null, values: {} });
        expect(await getEvaluation(database, evaluation.id)).toEqual(evaluation);
        expect(Math.abs(evaluation.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
      });

      it("sent 26 times at once is one evaluation", async () => {
        const sent = submission();
        const answers = await Promise.all(Array.from({ length: 26 }, () => submitEvaluation(database, sent)));
        expect(answers.filter(({ created }) => created)).toHaveLength(1);
        expect(new Set(answers.map(({ evaluation }) => evaluation.id)).size).toBe(1);
      });

      it("of 26 different things at once loses none", async () => {
        const answers = await Promise.all(Array.from({ length: 26 }, () => submitEvaluation(database, submission())));
        expect(answers.every(({ created }) => created)).toBe(true);
        const ids = answers.map(({ evaluation }) => evaluation.id);
        const found = await Promise.all(ids.map((id) => getEvaluation(database, id)));
        expect(new Set(found.map(({ requestKey }) => requestKey)).size).toBe(26);
      });

      it("is answered with the first that succeeded, and is new after a failure or when forced", async () => {
        const sent = submission();
        const { evaluation: first } = await submitEvaluation(database, sent);
        await failEvaluation(database, { id: first.id }, { code: "object-not-found", message: "gone" });
        const { evaluation: second, created } = await submitEvaluation(database, sent);
        expect(created).toBe(true);
        await recordEvaluation(database, second.id, outcome());
        const again = await submitEvaluation(database, sent);
        expect(again.created).toBe(false);
        expect(again.evaluation).toMatchObject({ id: second.id, status: "succeeded", values: { nc1: 0.5 } });
        expect((await submitEvaluation(database, { ...sent, force: true })).created).toBe(true);
      });
    });

    describe("an evaluation", () => {
      it("runs, reports progress, waits for another attempt, and fails", async () => {
        const { evaluation } = await submitEvaluation(database, submission());
        const { id } = evaluation;
        const before = await countUnfinished(database);
        expect(await startEvaluation(database, id)).toMatchObject({ status: "running", attempts: 1 });
        expect(await countUnfinished(database)).toEqual({ queued: before.queued - 1, running: before.running + 1 });
        await reportProgress(database, id, { stage: "train", done: 256, total: 8000 });
        expect((await getEvaluation(database, id)).progress).toEqual({ stage: "train", done: 256, total: 8000 });
        await postponeEvaluation(database, { id }, { code: "storage-unavailable", message: "busy" });
        expect(await getEvaluation(database, id)).toMatchObject({ status: "queued", error: { message: "busy" } });
        expect(await startEvaluation(database, id)).toMatchObject({ attempts: 2, progress: null });
        await failEvaluation(database, { id }, { code: "wrong-shape", message: "conv1.weight" });
        const failed = await getEvaluation(database, id);
        expect(failed).toMatchObject({ status: "failed", error: { code: "wrong-shape" } });
        expect(failed.finishedAt!.getTime()).toBeGreaterThanOrEqual(failed.startedAt!.getTime());
      });

      it("that has ended is not started, postponed, failed or recorded again", async () => {
        const ended = await evaluated(database, { values: { nc1: 1 } });
        expect(await startEvaluation(database, ended.id)).toBeNull();
        await postponeEvaluation(database, { id: ended.id }, { code: "internal", message: "late" });
        await failEvaluation(database, { id: ended.id }, { code: "internal", message: "late" });
        await recordEvaluation(database, ended.id, outcome({ values: { nc1: 2 } }));
        expect(await getEvaluation(database, ended.id)).toEqual(ended);
      });

      it("that nobody submitted is not found", async () => {
        await expect(getEvaluation(database, "nobody")).rejects.toMatchObject({ code: "not-found" });
        await expect(recordEvaluation(database, "nobody", outcome())).rejects.toMatchObject({ code: "not-found" });
        expect(await startEvaluation(database, "nobody")).toBeNull();
      });

      it("is listed newest first, page by page", async () => {
        const submitted = [];
        for (let i = 0; i < 5; i++) submitted.push((await submitEvaluation(database, submission())).evaluation.id);
        const first = await listEvaluations(database, { status: "queued", limit: 2 });
        const second = await listEvaluations(database, { status: "queued", limit: 3, cursor: first.next! });
        expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(submitted.toReversed());
        expect((await listEvaluations(database, { limit: 1000 })).next).toBeNull();
      });
    });

    describe("a record", () => {
      it("keeps every bit of a double", async () => {
        const values = {
          sum: 0.1 + 0.2,
          smallest: 5e-324,
          largest: Number.MAX_VALUE,
          lowest: -Number.MAX_VALUE,
          negative: -1 / 3,
          one: 1 + Number.EPSILON,
          zero: 0,
        };
        const { id } = await evaluated(database, { values });
        expect((await getEvaluation(database, id)).values).toEqual(values);
      });

      it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses %s by name", async (value) => {
        const { evaluation } = await submitEvaluation(database, submission());
        const refused = recordEvaluation(database, evaluation.id, outcome({ values: { nc1: 1, nc3: value } }));
        await expect(refused).rejects.toMatchObject({ code: "internal", retryable: false });
        await expect(refused).rejects.toThrow(`metric nc3 is ${value}`);
        expect(await getEvaluation(database, evaluation.id)).toEqual(evaluation);
        const row = { evaluationId: evaluation.id, name: "nc3", value };
        await expect(database.orm.insert(metricValues).values(row)).rejects.toThrow();
      });

      it("says what was measured, of which checkpoint and how", async () => {
        const done = outcome({ run: { experiment: "e", group: "ce", seed: 3 }, epoch: 4 });
        const { evaluation } = await submitEvaluation(database, submission());
        await postponeEvaluation(database, { id: evaluation.id }, { code: "internal", message: "the first attempt" });
        const recorded = await recordEvaluation(database, evaluation.id, done);
        const { protocol, protocolParts, engine, values, omitted, seconds } = done;
        expect(recorded).toMatchObject({
          ...{ status: "succeeded", error: null, sameAs: null, run: done.run.id, epoch: 4 },
          ...{ sha256: done.checkpoint.sha256, protocol, protocolParts, engine, values, omitted, seconds },
        });
      });

      it("fills in its run and erases nothing", async () => {
        const id = fresh("run");
        await evaluated(database, { run: { id, experiment: "e", labels: { lr: "0.1" } }, epoch: 1 });
        await evaluated(database, { run: { id, group: "nc", seed: 4_294_967_296, labels: { wd: "0" } }, epoch: 3 });
        const labels = { lr: "0.1", wd: "0" };
        const expected = {
          id,
          experiment: "e",
          group: "nc",
          seed: 4_294_967_296,
          labels,
          checkpoints: 2,
          lastEpoch: 3,
        };
        expect(await getRun(database, id)).toMatchObject(expected);
      });

      it("of an identity recorded before is the same as the first", async () => {
        const same = { run: { id: fresh("run") }, sha256: fresh("sha"), epoch: null };
        const first = await evaluated(database, { ...same, values: { nc1: 0.25 } });
        const second = await evaluated(database, { ...same, values: { nc1: 0.75 } });
        expect(second).toMatchObject({ status: "succeeded", sameAs: first.id, values: { nc1: 0.25 } });
        expect(await valuesOf(second.id)).toEqual([]);
        const otherProtocol = await evaluated(database, { ...same, protocol: "p2", values: { nc1: 0.75 } });
        expect(otherProtocol).toMatchObject({ sameAs: null, values: { nc1: 0.75 } });
      });

      it("is made once by 8 workers that end at the same moment", async () => {
        const same = { run: { id: fresh("run") }, sha256: fresh("sha") };
        const all = await Promise.all(Array.from({ length: 8 }, () => evaluated(database, same)));
        expect(all.filter(({ sameAs }) => sameAs === null)).toHaveLength(1);
        const [{ id: first }] = all.filter(({ sameAs }) => sameAs === null);
        expect(all.filter(({ sameAs }) => sameAs === first)).toHaveLength(7);
        expect(await runMetrics(database, same.run.id)).toHaveLength(1);
      });

      it("is made once by two workers on one evaluation", async () => {
        const { evaluation } = await submitEvaluation(database, submission());
        const [a, b] = await Promise.all(
          [0.25, 0.75].map((nc1) => recordEvaluation(database, evaluation.id, outcome({ values: { nc1 } }))),
        );
        expect(a!.values).toEqual(b!.values);
        expect(await valuesOf(evaluation.id)).toHaveLength(1);
      });

      it("is all or nothing", async () => {
        const { evaluation } = await submitEvaluation(database, submission());
        const broken = outcome({ run: { seed: 0.5 } });
        await expect(recordEvaluation(database, evaluation.id, broken)).rejects.toThrow();
        const half = outcome({ values: { [`${"\0"}`]: 1 } }); // fails at the last statement
        await expect(recordEvaluation(database, evaluation.id, half)).rejects.toThrow();
        await expect(getRun(database, half.run.id)).rejects.toMatchObject({ code: "not-found" });
        expect((await getEvaluation(database, evaluation.id)).status).toBe("queued");
      });

      it("of the same bytes is found under another run, and its numbers are copied", async () => {
        const bytes = { sha256: fresh("sha"), protocol: "p1" };
        expect(await findSameBytes(database, bytes)).toBeNull();
        const first = await evaluated(database, { ...bytes, values: { nc1: 0.125 }, omitted: { nc2: "why not" } });
        expect(await findSameBytes(database, bytes)).toBe(first.id);
        expect(await findSameBytes(database, { ...bytes, protocol: "p2" })).toBeNull();
        const { values: _, omitted: __, details, ...description } = outcome({ ...bytes, run: { id: fresh("run") } });
        const record = async (copyOf: string) => {
          const { evaluation } = await submitEvaluation(database, submission());
          return recordEvaluation(database, evaluation.id, { ...description, copyOf });
        };
        const copy = await record(first.id);
        expect(copy).toMatchObject({ sameAs: null, values: { nc1: 0.125 }, omitted: { nc2: "why not" } });
        expect(await getDetails(database, copy.id)).toEqual(details);
        await expect(record("gone")).rejects.toMatchObject({ code: "conflict", retryable: true });
      });
    });

    describe("a run", () => {
      it("is listed by experiment and group, page by page", async () => {
        const experiment = fresh("experiment");
        const ids = Array.from({ length: 5 }, () => fresh("run")).sort();
        for (const [i, id] of ids.entries()) {
          await evaluated(database, { run: { id, experiment, group: i === 4 ? "nc" : "ce" } });
        }
        const first = await listRuns(database, { experiment, group: "ce", limit: 3 });
        const second = await listRuns(database, { experiment, group: "ce", limit: 3, cursor: first.next! });
        expect(second.next).toBeNull();
        expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids.slice(0, 4));
      });

      it("lists its metrics in order of epoch, an epoch without a number last", async () => {
        const id = fresh("run");
        for (const epoch of [10, null, 2, 1]) {
          await evaluated(database, { run: { id }, epoch, values: { nc1: epoch ?? -1, nc3: 1 } });
        }
        const metrics = await runMetrics(database, id);
        expect(metrics.map(({ epoch, values }) => [epoch, values.nc1])).toEqual([
          ...[1, 2, 10].map((epoch) => [epoch, epoch]),
          [null, -1],
        ]);
        expect(metrics[0]).toMatchObject({ dataset: "digits", checkpoint: "s3://models/a.safetensors" });
        const latest = await runMetrics(database, id, { latest: true });
        expect(latest.map(({ epoch }) => epoch)).toEqual([10]);
      });

      it("counts the newest success of a checkpoint", async () => {
        const same = { run: { id: fresh("run") }, sha256: fresh("sha") };
        await evaluated(database, { ...same, values: { nc1: 1 } });
        const forced = await evaluated(database, { ...same, values: { nc1: 2 } }, true);
        await evaluated(database, { ...same, values: { nc1: 3 } }); // the same as one of those
        const metrics = await runMetrics(database, same.run.id);
        expect(metrics).toMatchObject([{ evaluation: forced.id, values: { nc1: 2 } }]);
      });

      it("lists an evaluation that left out every metric", async () => {
        const id = fresh("run");
        await evaluated(database, { run: { id }, values: {} });
        expect(await runMetrics(database, id)).toMatchObject([{ epoch: 1, values: {} }]);
      });

      it("that nobody evaluated is not found", async () => {
        await expect(runMetrics(database, "nobody")).rejects.toThrow('there is no run "nobody"');
      });
    });

    aggregateContract(() => database);
    comparisonContract(() => database);
    correlationContract(() => database);
    experimentContract(() => database);

    describe("the database", () => {
      it("answers", async () => {
        await expect(database.ping()).resolves.toBeUndefined();
      });

      it("writes to disk before it answers", async () => {
        const result: unknown = await database.orm.execute(sql`show synchronous_commit`);
        expect(result).toMatchObject({ rows: [{ synchronous_commit: "on" }] });
      });

      it("removes what belongs to an evaluation with it", async () => {
        const { id } = await evaluated(database);
        await database.orm.delete(evaluations).where(eq(evaluations.id, id));
        expect(await valuesOf(id)).toEqual([]);
      });
    });

    function valuesOf(id: string) {
      return database.orm.select().from(metricValues).where(eq(metricValues.evaluationId, id));
    }
  });
}
