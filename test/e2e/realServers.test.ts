import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { RunMetrics } from "../../src/api/contract.ts";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { serviceAt, submit } from "../../src/commands/connection.ts";
import { readConfig } from "../../src/config.ts";
import { emptyFolder } from "../api/samples.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { startS3 } from "../servers/s3.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const run = promisify(execFile);

const [postgres, s3] = await Promise.all([startPostgres(), startS3()]);

/** With neither server the same path is walked on the embedded database and a folder. */
it(`train → ${s3 ? "S3" : "a folder"} → POST /evaluate → ${postgres ? "PostgreSQL" : "PGlite"} → GET /runs/:id/metrics`, async () => {
  const folder = await emptyFolder();
  let service: RunningService | undefined;
  try {
    const env = {
      ...process.env,
      ...s3?.env,
      COLLAPSAR_HOME: join(folder, "home"),
      COLLAPSAR_FILE_ROOT: folder,
      COLLAPSAR_STORE: s3 ? `s3://${s3.bucket}/checkpoints` : join(folder, "store"),
      DATABASE_URL: postgres ? await freshDatabase(postgres) : "",
      PORT: "0",
    };
    Object.assign(process.env, s3?.env); // the service runs in this process, and the SDK reads its environment
    const recipe = "--dataset digits --width 2 --loss ce --seeds 7 --epochs 2 --batch-size 32 --images-per-epoch 64";
    const args = ["train", ...recipe.split(" "), "--experiment", "e2e", "--json"];
    const { stdout } = await run(process.execPath, [PROGRAM, ...args], { cwd: folder, env });
    const summary = JSON.parse(stdout.trim().split("\n").at(-1)!);
    expect(summary).toMatchObject({ status: "succeeded", epochs: 2 });
    expect(summary.checkpoints[0]).toMatch(s3 ? /^s3:\/\// : /^file:\/\//);

    service = await serve(readConfig(env));
    const api = serviceAt(service.url);
    for (const checkpoint of summary.checkpoints)
      expect(await submit(api, { checkpoint }, 60)).toMatchObject({ status: "succeeded", error: null });
    const { metrics } = await api.request<RunMetrics>(`/runs/${summary.run}/metrics`);
    expect(metrics.map(({ epoch, checkpoint }) => [epoch, checkpoint.url])).toEqual([
      [1, summary.checkpoints[0]],
      [2, summary.checkpoints[1]],
    ]);
    for (const { values } of metrics) {
      expect(values.nc1).toBeGreaterThan(0);
      expect(values.samples).toBe(7203); // 8,000 digits without every tenth of each class
      expect(values.accuracy).toBeGreaterThanOrEqual(0);
    }
    expect(await api.request("/runs/e2e-ce-seed7")).toMatchObject({ experiment: "e2e", group: "ce", seed: 7 });
  } finally {
    await service?.stop();
    await Promise.all([postgres?.stop(), s3?.stop()]);
    await rm(folder, { recursive: true });
  }
});
