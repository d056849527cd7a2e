import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeParquet } from "../../../src/commands/export/parquet.ts";
import type { RecordedRun } from "../../../src/commands/export/recorded.ts";
import { emptyFolder } from "../../api/samples.ts";
import { startMlflow } from "../../servers/mlflow.ts";
import { findPython } from "../../servers/python.ts";
import { recordSamples } from "./recordedSamples.ts";

const PROGRAM = fileURLToPath(new URL("../../../bin/collapsar.js", import.meta.url));
const run = promisify(execFile);
const python = findPython();

let folder: string;
let expected: Map<string, number>;

beforeAll(async () => {
  folder = await emptyFolder();
  expected = await recordSamples(folder);
});
afterAll(() => rm(folder, { recursive: true }));

function collapsar(...args: string[]) {
  const { DATABASE_URL: _, ...env } = process.env;
  return run(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { ...env, COLLAPSAR_HOME: join(folder, "home") },
  });
}

interface Row {
  readonly run: string;
  readonly protocol: string;
  readonly epoch: bigint | number | null;
  readonly metric: string;
  readonly value: number;
}

const keyOf = ({ run, protocol, epoch, metric }: Row) =>
  JSON.stringify([run, protocol, epoch === null ? null : Number(epoch), metric]);

async function readRows(path: string): Promise<Row[]> {
  return (await parquetReadObjects({ file: new Uint8Array(await readFile(path)).buffer })) as unknown as Row[];
}

describe("collapsar export parquet", () => {
  it("writes every value of the database, to the last bit", async () => {
    const { stdout } = await collapsar("export", "parquet", "--out", "all.parquet", "--json");
    expect(JSON.parse(stdout)).toEqual({ out: "all.parquet", values: expected.size });
    const rows = await readRows(join(folder, "all.parquet"));
    expect(new Map(rows.map((row) => [keyOf(row), row.value]))).toEqual(expected);
    expect(rows[0]).toMatchObject({ experiment: "one", group: "ce", seed: 2n ** 40n + 1n, dataset: "digits" });
  });

  it("writes only what is asked for, and a file of no rows where there is nothing", async () => {
    await collapsar("export", "parquet", "--out", "two.parquet", "--experiment", "two");
    expect(new Set((await readRows(join(folder, "two.parquet"))).map(({ run }) => run))).toEqual(new Set(["two-1"]));
    const { stdout } = await collapsar("export", "parquet", "--out", "none.parquet", "--experiment", "three");
    expect(stdout).toBe("0 values → none.parquet\n");
    expect(await readRows(join(folder, "none.parquet"))).toEqual([]);
  });

  it("says why a file cannot be written", async () => {
    const failure = collapsar("export", "parquet", "--out", "no-folder/all.parquet");
    await expect(failure).rejects.toThrow(/no-folder\/all\.parquet" does not exist \(object-not-found\)/);
  });

  it("writes row group by row group, and leaves nothing behind where the runs break off", async () => {
    const one: RecordedRun = {
      run: {
        id: "r",
        experiment: null,
        group: null,
        seed: null,
        labels: {},
        checkpoints: 1,
        lastEpoch: 1,
        createdAt: "",
        updatedAt: "",
      },
      metrics: Array.from({ length: 60 }, (_, epoch) => ({
        ...{ evaluation: "e", checkpoint: { url: "u", sha256: "s" }, epoch, dataset: "d", protocol: "p" },
        values: Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`m${i}`, i + epoch / 7])),
      })),
    };
    const path = join(folder, "large.parquet");
    expect(
      await writeParquet(
        path,
        (async function* () {
          yield one;
        })(),
      ),
    ).toBe(120_000);
    const { row_groups } = parquetMetadata(new Uint8Array(await readFile(path)).buffer);
    expect(row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([100_000, 20_000]);
    const broken = (async function* () {
      yield one;
      throw new Error("the service is gone");
    })();
    await expect(writeParquet(join(folder, "broken.parquet"), broken)).rejects.toThrow("the service is gone");
    expect((await readdir(folder)).filter((name) => name.startsWith("broken"))).toEqual([]);
  });

  it.runIf(python)("is read by pyarrow with the same bits", async () => {
    await collapsar("export", "parquet", "--out", "arrow.parquet");
    const code =
      "import json, pyarrow.parquet as pq; t = pq.read_table('arrow.parquet'); print(json.dumps([str(t.schema.field('seed').type), str(t.schema.field('value').type), [[r['run'], r['protocol'], r['epoch'], r['metric'], r['value'].hex()] for r in t.to_pylist()]]))";
    const { stdout } = await run(python!, ["-c", code], { cwd: folder });
    const [seed, value, rows] = JSON.parse(stdout) as [
      string,
      string,
      [string, string, number | null, string, string][],
    ];
    expect([seed, value]).toEqual(["int64", "double"]);
    const hexOf = new Map(
      rows.map(([run, protocol, epoch, metric, hex]) => [JSON.stringify([run, protocol, epoch, metric]), hex]),
    );
    const { stdout: wanted } = await run(python!, [
      "-c",
      "import json, sys; print(json.dumps([[k, float(v).hex()] for k, v in json.loads(sys.argv[1])]))",
      JSON.stringify([...expected].map(([key, value]) => [key, String(value)])),
    ]);
    expect(hexOf).toEqual(new Map(JSON.parse(wanted) as [string, string][]));
  });
});

describe("collapsar export mlflow", { timeout: 180_000 }, () => {
  it("tells an address that is none, a server that does not answer, and one that is no MLflow", async () => {
    const failure = (stderr: string) => ({ code: 1, stderr: expect.stringContaining(stderr) });
    await expect(collapsar("export", "mlflow", "--to", "mlflow")).rejects.toMatchObject(
      failure("expected http://host:port"),
    );
    await expect(collapsar("export", "mlflow", "--to", "http://127.0.0.1:9")).rejects.toMatchObject(
      failure("the MLflow server at http://127.0.0.1:9 does not answer (storage-unavailable)"),
    );
    const other = createServer((_, answer) => answer.writeHead(200).end("<html>")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(collapsar("export", "mlflow", "--to", `http://127.0.0.1:${port}`)).rejects.toMatchObject(
      failure("answers 200, not as MLflow does"),
    );
    other.close();
  });

  it.runIf(python)("logs every value with its step, once however often it is run", async () => {
    const mlflow = await startMlflow(python!);
    try {
      const exported = async (...args: string[]) =>
        JSON.parse((await collapsar("export", "mlflow", "--to", mlflow.url, "--json", ...args)).stdout);
      expect(await exported("--experiment", "two")).toMatchObject({ runs: 1, checkpoints: 1, values: 4 });
      expect(await exported()).toMatchObject({ runs: 3, checkpoints: 5, values: expected.size - 4 });
      expect(await exported()).toMatchObject({ runs: 0, checkpoints: 0, values: 0 });

      const code = `
import json, sys, mlflow
client = mlflow.MlflowClient(sys.argv[1])
experiments = [e for e in client.search_experiments() if e.name != "Default"]
runs = [r for e in experiments for r in client.search_runs([e.experiment_id])]
points = [[r.data.tags["collapsar.run"], r.data.tags["collapsar.protocol"], m.step, m.key, repr(m.value)]
          for r in runs for key in r.data.metrics for m in client.get_metric_history(r.info.run_id, key)]
print(json.dumps({"experiments": sorted(e.name for e in experiments), "points": points, "runs": [[r.info.run_name, r.info.status, r.data.params, r.data.tags] for r in runs]}))`;
      const { stdout } = await run(python!, ["-c", code, mlflow.url]);
      const seen = JSON.parse(stdout.trim().split("\n").at(-1)!);
      expect(seen.experiments).toEqual(["one", "two"]);
      expect(seen.runs.map(([name]: [string]) => name).sort()).toEqual(["one-1", "one-2", "one-2", "two-1"]);
      for (const [, status, params, tags] of seen.runs) {
        expect(status).toBe("FINISHED");
        expect(params).toEqual({ seed: String(2 ** 40 + 1), group: "ce", dataset: "digits" });
        expect(tags).toMatchObject({
          "collapsar.label.reviewed": "yes",
          "collapsar.checkpoint": "s3://models/a.safetensors",
        });
        expect(JSON.parse(tags["collapsar.protocol.dataset"])).toEqual({ name: "digits", digest: "digest of digits" });
      }
      const points = (seen.points as [string, string, number, string, string][]).map(
        ([run, protocol, step, key, value]) => [
          JSON.stringify([run, protocol, run === "two-1" ? null : step, key]),
          Number(value),
        ],
      );
      const named = [...expected].map(([key, value]) => [
        key.replaceAll("auroc:mnist:gmm", "auroc/mnist/gmm").replaceAll("auroc:a+b (1):knn", "auroc/a_2bb _281_29/knn"),
        value,
      ]);
      expect(points.sort()).toEqual(named.sort());
    } finally {
      await mlflow.stop();
    }
  });
});
