import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type {
  Aggregate,
  Comparison,
  Correlations,
  EvaluationList,
  EvaluationResource,
  RunList,
  RunMetrics,
  Submissions,
} from "../../src/api/contract.ts";
import type { Problem } from "../../src/api/problem.ts";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";

const NC = ["nc1", "nc2_equinorm_means", "nc2_equiangular_classifiers", "nc3", "nc4_error", "nc4_mismatch"];

/** The service over HTTP, on whatever database `databaseUrl` names (null: the embedded one). */
export function describeService(name: string, databaseUrl: () => Promise<string | null>): void {
  describe(`the service on ${name}`, () => {
    let folder: string;
    let service: RunningService;

    const ask = (path: string, init?: RequestInit) => fetch(`${service.url}${path}`, init);
    const read = async <T>(path: string) => (await (await ask(path)).json()) as T;
    const post = (body: unknown, prefer?: string) =>
      ask("/evaluate", {
        method: "POST",
        headers: { "content-type": "application/json", ...(prefer && { prefer }) },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    /** Of a CSV whose cells hold neither commas nor quotes: each row by its headings. */
    const cellsOf = async (path: string) => {
      const lines = (await (await ask(path)).text()).trimEnd().split("\n");
      const [heading, ...rows] = lines.map((line) => line.split(","));
      return rows.map((row) => Object.fromEntries(row.map((cell, i) => [heading![i]!, cell])));
    };
    const put = async (file: string, bytes: Uint8Array | string) => {
      await writeFile(join(folder, file), bytes);
      return fileUrl(folder, file);
    };
    const evaluated = async (body: unknown): Promise<EvaluationResource> => {
      const response = await post(body, "wait=60");
      expect(response.status).toBe(200);
      return (await response.json()) as EvaluationResource;
    };

    beforeAll(async () => {
      folder = await emptyFolder();
      const url = await databaseUrl();
      const env = { COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, PORT: "0" };
      service = await serve(readConfig({ ...env, ...(url && { DATABASE_URL: url }) }));
    });
    afterAll(async () => {
      await service.stop();
      await rm(folder, { recursive: true });
    });

    it("takes a checkpoint with 202 and Location, and evaluates it", async () => {
      const checkpoint = await put("first.safetensors", checkpointBytes());
      const response = await post({ checkpoint });
      const taken = (await response.json()) as EvaluationResource;
      expect(response.status).toBe(202);
      expect(response.headers.get("location")).toBe(`/evaluations/${taken.id}`);
      expect(["queued", "running"]).toContain(taken.status);

      const ended = await evaluated({ checkpoint });
      expect(ended).toMatchObject({
        id: taken.id,
        status: "succeeded",
        run: "tiny",
        epoch: 1,
        error: null,
        sameAs: null,
      });
      for (const metric of NC) expect(ended.values[metric]).toEqual(expect.any(Number));
      expect(ended.values.samples).toBe(2000);
      expect(ended.omitted).toHaveProperty("accuracy");
    });

    it("answers the same again with the first evaluation, and computes anew when forced", async () => {
      const checkpoint = await put("again.safetensors", checkpointBytes({ seed: 2, metadata: { run: "again" } }));
      const first = await evaluated({ checkpoint });
      const again = await post({ checkpoint });
      expect(again.status).toBe(200);
      expect(await again.json()).toMatchObject({ id: first.id });
      const forced = await evaluated({ checkpoint, force: true });
      expect(forced.id).not.toBe(first.id);
      expect(forced.values).toEqual(first.values);
      const { metrics } = await read<RunMetrics>("/runs/again/metrics");
      expect(metrics.map(({ evaluation }) => evaluation)).toEqual([forced.id]);
    });

    it("knows the same bytes under another URL: same as the first, or copied to another run", async () => {
      const bytes = checkpointBytes({ seed: 3, metadata: { run: "original" } });
      const first = await evaluated({ checkpoint: await put("original.safetensors", bytes) });
      const copy = await put("copy.safetensors", bytes);
      const same = await evaluated({ checkpoint: copy });
      expect(same).toMatchObject({ sameAs: first.id, values: first.values });
      const elsewhere = await evaluated({ checkpoint: copy, run: { id: "elsewhere", epoch: 7 } });
      expect(elsewhere).toMatchObject({ run: "elsewhere", epoch: 7, sameAs: null, values: first.values });
    });

    it("refuses a body that does not say it is JSON, which a page of another site could send", async () => {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", undefined]) {
        const body = new TextEncoder().encode(JSON.stringify({ checkpoint: "file:///x", dataset: "digits" }));
        const headers = type === undefined ? {} : { "content-type": type };
        const answer = await ask("/evaluate", { method: "POST", headers, body });
        expect(answer.status).toBe(415);
        expect(await answer.json()).toMatchObject({ code: "unsupported-media-type" });
      }
    });

    it("refuses what no database holds, the character NUL, wherever it comes from", async () => {
      const checkpoint = await put("nul.safetensors", checkpointBytes());
      const answers = await Promise.all([
        ...["/runs?experiment=a%00", "/runs?q=%00", "/runs/a%00/metrics", "/experiments?q=%00", "/evaluations/%00"].map(
          (path) => ask(path),
        ),
        post({ checkpoint, dataset: "digits:test", run: { labels: { by: "a\u0000" } } }),
      ]);
      for (const answer of answers) {
        expect(answer.status, answer.url).toBe(400);
        expect(await answer.json()).toMatchObject({ code: "invalid-request" });
      }
    });

    it("says in words what it expects of a body", async () => {
      const detailOf = async (body: unknown) => ((await (await post(body)).json()) as Problem).detail;
      expect(await detailOf({ dataset: "digits" })).toMatch(
        /^checkpoint: expected a URL, a pattern of URLs, or a list/,
      );
      const checkpoint = fileUrl(folder, "any");
      expect(await detailOf({ checkpoint, run: { epoch: 1.5 } })).toBe("run.epoch: expected a whole number from 0");
    });

    it("lists runs by page, and gives the metrics of a run in order of epoch, as JSON and CSV", async () => {
      for (const epoch of ["10", "2"]) {
        const bytes = checkpointBytes({
          seed: Number(epoch),
          metadata: { run: "ordered", epoch, experiment: "order" },
        });
        await evaluated({ checkpoint: await put(`epoch-${epoch}.safetensors`, bytes) });
      }
      const { metrics } = await read<RunMetrics>("/runs/ordered/metrics");
      expect(metrics.map(({ epoch }) => epoch)).toEqual([2, 10]);
      const latest = await read<RunMetrics>("/runs/ordered/metrics?latest");
      expect(latest.metrics.map(({ epoch }) => epoch)).toEqual([10]);

      const csv = await ask("/runs/ordered/metrics?format=csv");
      expect(csv.headers.get("content-type")).toMatch(/^text\/csv/);
      const [heading, ...rows] = (await csv.text())
        .trimEnd()
        .split("\n")
        .map((line) => line.split(","));
      expect(rows.map((row) => Number(row[heading!.indexOf("nc1")]))).toEqual(metrics.map(({ values }) => values.nc1));

      const all = await read<RunList>("/runs");
      const paged: string[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const page: RunList = await read<RunList>(`/runs?limit=1${cursor && `&cursor=${cursor}`}`);
        paged.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      }
      expect(paged).toEqual(all.items.map(({ id }) => id));
      expect(paged).toEqual(paged.toSorted());
      expect(await (await ask("/runs?experiment=order")).json()).toMatchObject({
        items: [{ id: "ordered", lastEpoch: 10 }],
      });
      expect(await (await ask("/runs/ordered")).json()).toMatchObject({ id: "ordered", seed: 1, checkpoints: 2 });
    });

    it("takes several checkpoints, each with its own evaluation or problem, and those that match a pattern", async () => {
      await mkdir(join(folder, "many"));
      const urls: string[] = [];
      for (const epoch of ["1", "2", "3"]) {
        const bytes = checkpointBytes({ seed: 40 + Number(epoch), metadata: { run: "many", epoch } });
        urls.push(await put(`many/epoch-${epoch}.safetensors`, bytes));
      }
      await put("many/notes.txt", "not a checkpoint");
      const missing = fileUrl(folder, "many", "none.safetensors");
      const response = await post({ checkpoint: [urls[2], missing, "file:///etc/passwd", urls[0]] });
      expect(response.status).toBe(202);
      const { items } = (await response.json()) as Submissions;
      expect(items).toMatchObject([
        { checkpoint: urls[2], evaluation: { checkpoint: { url: urls[2] } }, error: null },
        { checkpoint: missing, evaluation: null, error: { status: 422, code: "object-not-found" } },
        { checkpoint: "file:///etc/passwd", evaluation: null, error: { status: 403, code: "forbidden-url" } },
        { checkpoint: urls[0], evaluation: { checkpoint: { url: urls[0] } }, error: null },
      ]);

      const matched = (await (
        await post({ checkpoint: `${fileUrl(folder, "many")}/*.safetensors` })
      ).json()) as Submissions;
      expect(matched.items.map(({ checkpoint }) => checkpoint)).toEqual(urls);
      expect(matched.items[2]!.evaluation!.id).toBe(items[0]!.evaluation!.id);
      for (const checkpoint of urls) await evaluated({ checkpoint });
      const { metrics } = await read<RunMetrics>("/runs/many/metrics");
      expect(metrics.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    });

    it.each([
      [() => [], 400, "invalid-request", /checkpoint/],
      [() => Array(1001).fill("file:///x"), 400, "invalid-request", /checkpoint/],
      [() => [7], 400, "invalid-request", /checkpoint/],
      [() => `${fileUrl(folder, "empty")}/*.pt`, 422, "object-not-found", /empty\/\*\.pt/],
      [() => "file:///etc/*", 403, "forbidden-url", /etc/],
    ])("refuses a list or a pattern that names nothing it may take (%#)", async (checkpoint, status, code, detail) => {
      const response = await post({ checkpoint: checkpoint() });
      const problem = (await response.json()) as Problem;
      expect(problem).toMatchObject({ status, code });
      expect(problem.detail).toMatch(detail);
    });

    it("lists evaluations by status, run, experiment, checkpoint and dataset, newest first, by page", async () => {
      const ids: string[] = [];
      for (const epoch of ["1", "2"]) {
        const metadata = { run: "listed", epoch, experiment: "list" };
        const bytes = checkpointBytes({ seed: 50 + Number(epoch), metadata });
        ids.unshift((await evaluated({ checkpoint: await put(`listed-${epoch}.safetensors`, bytes) })).id);
      }
      const bad = await evaluated({ checkpoint: await put("listed-bad.safetensors", "no"), run: { id: "listed" } });
      const idsOf = async (query: string) =>
        (await read<EvaluationList>(`/evaluations?${query}`)).items.map(({ id }) => id);
      expect(await idsOf("run=listed")).toEqual([bad.id, ...ids]);
      expect(await idsOf("run=listed&status=failed")).toEqual([bad.id]);
      expect(await idsOf("experiment=list")).toEqual(ids);
      expect(await idsOf("experiment=list&dataset=digits:test")).toEqual(ids);
      expect(await idsOf("experiment=list&dataset=mnist")).toEqual([]);
      const checkpoint = encodeURIComponent(fileUrl(folder, "listed-1.safetensors"));
      expect(await idsOf(`checkpoint=${checkpoint}`)).toEqual([ids[1]]);
      const first = await read<EvaluationList>("/evaluations?run=listed&limit=2");
      expect(first.items.map(({ id }) => id)).toEqual([bad.id, ids[0]]);
      expect(first.items[0]).not.toHaveProperty("values");
      const second = await read<EvaluationList>(`/evaluations?run=listed&limit=2&cursor=${first.next}`);
      expect(second).toMatchObject({ items: [{ id: ids[1] }], next: null });
    });

    it("cancels what runs within 2 s, and retries it", async () => {
      // more work than the test has time for
      const bytes = checkpointBytes({ seed: 60, spec: { width: 64 }, metadata: { run: "slow" } });
      const response = await post({ checkpoint: await put("slow.safetensors", bytes), dataset: "digits" });
      const { id } = (await response.json()) as EvaluationResource;
      await vi.waitFor(
        async () => expect(await read(`/evaluations/${id}`)).toMatchObject({ progress: { stage: "train" } }),
        { timeout: 30_000, interval: 50 },
      );
      const begun = performance.now();
      const cancelled = await ask(`/evaluations/${id}/cancel`, { method: "POST" });
      expect(cancelled.status).toBe(200);
      expect(await cancelled.json()).toMatchObject({ id, status: "cancelled" });
      // the only worker is free again
      const checkpoint = await put("after.safetensors", checkpointBytes({ seed: 61, metadata: { run: "after" } }));
      const next = (await (await post({ checkpoint })).json()) as EvaluationResource;
      await vi.waitFor(
        async () => expect((await read<EvaluationResource>(`/evaluations/${next.id}`)).status).not.toBe("queued"),
        { timeout: 10_000, interval: 20 },
      );
      expect(performance.now() - begun).toBeLessThan(2000);
      const again = await ask(`/evaluations/${id}/retry`, { method: "POST" });
      expect(again.status).toBe(202);
      expect(again.headers.get("location")).toBe(`/evaluations/${id}`);
      expect(await again.json()).toMatchObject({ id, status: "queued", finishedAt: null });
      expect((await ask(`/evaluations/${id}/retry`, { method: "POST" })).status).toBe(409);
      await ask(`/evaluations/${id}/cancel`, { method: "POST" });
      await evaluated({ checkpoint });
    });

    it("tells how an evaluation goes on as server-sent events, and not again what was heard before", async () => {
      const checkpoint = await put("heard.safetensors", checkpointBytes({ seed: 63, metadata: { run: "heard" } }));
      const { id } = (await (await post({ checkpoint })).json()) as EvaluationResource;
      const response = await ask(`/evaluations/${id}/events`);
      expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
      const text = await response.text(); // ends with the evaluation
      const fields = (name: string) =>
        [...text.matchAll(new RegExp(`^${name}: (.*)$`, "gm"))].map(([, value]) => value!);
      expect(fields("event").at(-1)).toBe("ended");
      expect(fields("event").indexOf("ended")).toBe(fields("event").length - 1);
      expect(new Set(fields("id")).size).toBe(fields("id").length);
      expect(JSON.parse(fields("data").at(-1)!)).toEqual(await read(`/evaluations/${id}`));
      const again = await ask(`/evaluations/${id}/events`, { headers: { "last-event-id": fields("id").at(-1)! } });
      expect(await again.text()).toBe("");
      expect((await ask("/evaluations/none/events")).status).toBe(404);
    });

    it("says that an evaluation took longer than it was given", async () => {
      const bytes = checkpointBytes({ seed: 62, spec: { width: 64 }, metadata: { run: "late" } });
      const checkpoint = await put("late.safetensors", bytes);
      const ended = await evaluated({ checkpoint, dataset: "digits", timeout: 1, priority: 3 });
      expect(ended).toMatchObject({ status: "failed", error: { code: "timed-out" }, values: {} });
      expect((await post({ checkpoint, timeout: 0 })).status).toBe(400);
      expect((await post({ checkpoint, priority: 101 })).status).toBe(400);
    });

    it("labels a run, and forgets it with all that was measured of it", async () => {
      const bytes = checkpointBytes({ seed: 70, metadata: { run: "labelled" } });
      const checkpoint = await put("labelled.safetensors", bytes);
      const { id } = await evaluated({ checkpoint, run: { labels: { optimiser: "sgd", note: "old" } } });
      const patch = (body: unknown, run = "labelled") =>
        ask(`/runs/${run}`, {
          method: "PATCH",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        });
      const patched = await patch({ labels: { note: null, reviewed: "yes" } });
      expect(patched.status).toBe(200);
      expect(await patched.json()).toMatchObject({ id: "labelled", labels: { optimiser: "sgd", reviewed: "yes" } });
      expect((await read<RunList["items"][number]>("/runs/labelled")).labels).not.toHaveProperty("note");
      expect((await patch({ labels: {}, seed: 2 })).status).toBe(400);
      for (const value of [1, "a\0b", "\ud800"]) expect((await patch({ labels: { a: value } })).status).toBe(400);
      expect((await patch({ labels: {} }, "none")).status).toBe(404);

      expect((await ask("/runs/labelled", { method: "DELETE" })).status).toBe(204);
      for (const path of ["/runs/labelled", "/runs/labelled/metrics", `/evaluations/${id}`])
        expect((await ask(path)).status).toBe(404);
      expect((await ask("/runs/labelled", { method: "DELETE" })).status).toBe(404);
      const anew = await evaluated({ checkpoint });
      expect(anew).toMatchObject({ status: "succeeded", run: "labelled", sameAs: null });
      expect(anew.id).not.toBe(id);
    });

    it("aggregates over seeds, as JSON and CSV", async () => {
      for (const seed of [1, 2, 3]) {
        const metadata = { run: `agg-${seed}`, experiment: "agg", group: "ce", seed: String(seed), epoch: "4" };
        await evaluated({
          checkpoint: await put(`agg-${seed}.safetensors`, checkpointBytes({ seed: 10 + seed, metadata })),
        });
      }
      const { rows } = await read<Aggregate>("/aggregate?experiment=agg&metrics=nc1,nc3");
      expect(rows.map(({ metric }) => metric)).toEqual(["nc1", "nc3"]);
      const [nc1] = rows;
      const values = nc1!.perSeed.map(({ value }) => value);
      expect(nc1).toMatchObject({ group: "ce", n: 3, dataset: "digits:test", epochs: [4], epochsDiffer: false });
      expect(nc1!.perSeed.map(({ seed }) => seed)).toEqual([1, 2, 3]);
      expect(nc1!.mean).toBeCloseTo(values.reduce((a, b) => a + b) / 3, 12);
      const csv = await (await ask("/aggregate?experiment=agg&metrics=nc1&format=csv")).text();
      expect(csv.split("\n")[1]).toContain(`,3,${nc1!.mean},${nc1!.sd},`);
    });

    it("compares groups and correlates metrics over their runs, as JSON and CSV", async () => {
      for (const [i, group] of ["ce", "ce", "ce", "nc", "nc", "nc"].entries()) {
        const seed = (i % 3) + 1;
        const metadata = { run: `two-${group}-${seed}`, experiment: "two", group, seed: String(seed) };
        const bytes = checkpointBytes({ seed: 20 + i, metadata });
        await evaluated({ checkpoint: await put(`two-${i}.safetensors`, bytes) });
      }
      const compared = "/compare?a=ce&b=nc&experiment=two&metrics=nc1,nc3";
      const { a, b, rows } = await read<Comparison>(compared);
      expect({ a, b }).toEqual({ a: "ce", b: "nc" });
      expect(rows.map(({ metric, sharedSeeds }) => [metric, sharedSeeds])).toEqual([
        ["nc1", [1, 2, 3]],
        ["nc3", [1, 2, 3]],
      ]);
      const { welch, hedges, wilcoxon } = rows[0]!;
      for (const number of [welch.p, welch.pHolm, welch.df, wilcoxon.p, hedges.g])
        expect(number).toEqual(expect.any(Number));
      const table = await cellsOf(`${compared}&format=csv`);
      expect(table[0]).toMatchObject({ metric: "nc1", a_n: "3", shared_seeds: "1 2 3", wilcoxon_method: "exact" });
      expect(Number(table[0]!.welch_p_holm)).toBe(welch.pHolm);
      expect(Number(table[0]!.hedges_g)).toBe(hedges.g);

      const correlated = "/correlations?x=nc1&y=nc3&experiment=two";
      const answer = await read<Correlations>(correlated);
      expect(answer).toMatchObject({
        x: "nc1",
        y: "nc3",
        rows: [{ n: 6, groups: [{ group: "ce" }, { group: "nc" }] }],
      });
      const [row] = answer.rows;
      expect(row!.points).toHaveLength(6);
      const lines = await cellsOf(`${correlated}&format=csv`);
      expect(lines.map(({ over, group, n }) => [over, group, n])).toEqual([
        ["all", "", "6"],
        ["group", "ce", "3"],
        ["group", "nc", "3"],
      ]);
      expect(Number(lines[0]!.pearson_r)).toBe(row!.pearson.r);
      expect(lines[1]!.x!.split(" ").map(Number)).toEqual(row!.points.slice(0, 3).map(({ x }) => x));

      const best = await read<Aggregate>("/aggregate?experiment=two&metrics=nc1&epoch=best:nc1");
      expect(best.rows).toMatchObject([
        { group: "ce", n: 3, missing: [] },
        { group: "nc", n: 3, missing: [] },
      ]);
    });

    const refusals: [string, () => Promise<unknown>, number, string, RegExp][] = [
      ["a body that is no JSON", async () => "{nope", 400, "invalid-request", /JSON/],
      ["no checkpoint", async () => ({}), 400, "invalid-request", /checkpoint/],
      [
        "a field that is not known",
        async () => ({ checkpoint: "file:///x", datset: "digits" }),
        400,
        "invalid-request",
        /datset/,
      ],
      [
        "an engine that is not known",
        async () => ({ checkpoint: "file:///x", engine: "abacus" }),
        400,
        "invalid-request",
        /engine/,
      ],
      [
        "an unknown URL scheme",
        async () => ({ checkpoint: "gopher://host/x" }),
        422,
        "unsupported-url",
        /gopher:\/\/host\/x/,
      ],
      [
        "a path outside the root",
        async () => ({ checkpoint: "file:///etc/passwd" }),
        403,
        "forbidden-url",
        /etc\/passwd/,
      ],
      [
        "a missing object",
        async () => ({ checkpoint: fileUrl(folder, "none.safetensors") }),
        422,
        "object-not-found",
        /none.safetensors/,
      ],
      [
        "an unknown dataset",
        async () => ({ checkpoint: await put("d.safetensors", checkpointBytes()), dataset: "digitz" }),
        422,
        "unknown-dataset",
        /digitz.*digits/,
      ],
      [
        "a bad override of the network",
        async () => ({ checkpoint: "file:///x", network: { arch: "vgg16" } }),
        422,
        "invalid-metadata",
        /vgg16/,
      ],
    ];
    it.each(refusals)("refuses at once, with problem+json: %s", async (_, body, status, code, detail) => {
      const response = await post(await body());
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      const problem = (await response.json()) as Problem;
      expect(problem).toMatchObject({ status, code, instance: "/evaluate" });
      expect(problem.detail).toMatch(detail);
      expect(response.status).toBe(status);
    });

    const nan = { dtype: "F32", shape: [10], data: new Float32Array(10).fill(Number.NaN) } as const;
    const failures: [string, () => Uint8Array | string, string, RegExp][] = [
      ["garbage", () => "not a checkpoint at all", "malformed-checkpoint", /safetensors/],
      ["a truncated file", () => checkpointBytes().subarray(0, 5000), "malformed-checkpoint", /truncated/],
      [
        "a wrong shape",
        () => checkpointBytes({ metadata: { width: "4" } }),
        "wrong-shape",
        /conv1.weight.*expected 4×1×3×3/,
      ],
      ["no normalisation", () => checkpointBytes({ metadata: { mean: null } }), "missing-metadata", /mean and std/],
      ["no dataset", () => checkpointBytes({ metadata: { dataset: null } }), "missing-metadata", /dataset/],
      [
        "a dataset nobody knows",
        () => checkpointBytes({ metadata: { dataset: "digitz" } }),
        "unknown-dataset",
        /digitz/,
      ],
      [
        "a seed that is no number",
        () => checkpointBytes({ metadata: { seed: "one" } }),
        "invalid-metadata",
        /seed="one"/,
      ],
      ["NaN weights", () => checkpointBytes({ tensors: { "fc.bias": nan } }), "non-finite-weight", /fc.bias.*NaN/],
    ];
    it.each(failures)("fails the evaluation, saying why, and goes on: %s", async (what, bytes, code, message) => {
      const checkpoint = await put(`${what.replaceAll(" ", "-")}.safetensors`, bytes());
      const ended = await evaluated({ checkpoint });
      expect(ended).toMatchObject({ status: "failed", error: { code }, values: {} });
      expect(ended.error!.message).toMatch(message);
      expect((await ask("/healthz")).status).toBe(200);
    });

    it.each([
      ["/evaluations/none", 404, "not-found", /"none"/],
      ["/runs/none", 404, "not-found", /"none"/],
      ["/runs/none/metrics", 404, "not-found", /"none"/],
      ["/nowhere", 404, "not-found", /GET \/nowhere/],
      ["/runs?group=a%00b", 400, "invalid-request", /NUL/],
      ["/evaluations/%00", 400, "invalid-request", /NUL/],
      ["/runs?limit=0", 400, "invalid-request", /limit/],
      ["/evaluations?limit=1001", 400, "invalid-request", /limit/],
      ["/evaluations?status=lost", 400, "invalid-request", /status/],
      ["/aggregate?epoch=never", 400, "invalid-request", /epoch.*best:METRIC.*"never"/],
      ["/aggregate?epoch=best:samples", 400, "invalid-request", /best:samples:min or best:samples:max/],
      ["/compare?a=ce&b=nc&epoch=all", 400, "invalid-request", /epoch.*"all"/],
      ["/compare?a=ce", 400, "invalid-request", /b/],
      ["/compare?a=ce&b=none&experiment=none", 404, "not-found", /group "ce"/],
      ["/correlations?x=nc1", 400, "invalid-request", /y/],
    ])("answers %s with a problem", async (path, status, code, detail) => {
      const response = await ask(path);
      const problem = (await response.json()) as Problem;
      expect(problem).toMatchObject({ status, code });
      expect(problem.detail).toMatch(detail);
    });

    it("says that it is alive, ready, and what it offers", async () => {
      expect(await (await ask("/healthz")).json()).toEqual({ status: "ok" });
      expect(await (await ask("/readyz")).json()).toEqual({ status: "ok" });
      const document = await read<{ openapi: string; paths: object; info: { version: string } }>("/openapi.json");
      expect(document.openapi).toBe("3.1.0");
      expect(Object.keys(document.paths).toSorted()).toEqual([
        "/aggregate",
        "/compare",
        "/correlations",
        "/evaluate",
        "/evaluations",
        "/evaluations/{id}",
        "/evaluations/{id}/cancel",
        "/evaluations/{id}/details",
        "/evaluations/{id}/events",
        "/evaluations/{id}/retry",
        "/events/s3",
        "/experiments",
        "/experiments/{experiment}",
        "/experiments/{experiment}/trajectories",
        "/healthz",
        "/metrics",
        "/readyz",
        "/runs",
        "/runs/{id}",
        "/runs/{id}/metrics",
        "/tokens",
        "/tokens/{name}",
      ]);
      const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
      expect(document.info.version).toBe(version);
    });
  });
}
