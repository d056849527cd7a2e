import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { RunMetrics } from "../../src/api/contract.ts";
import { serve } from "../../src/api/serve.ts";
import { serviceAt } from "../../src/commands/connection.ts";
import { readConfig } from "../../src/config.ts";
import { emptyFolder } from "../api/samples.ts";
import { findPython } from "../servers/python.ts";
import { startS3 } from "../servers/s3.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/train_and_evaluate.py", import.meta.url));
const python = findPython();
const s3 = python === null ? null : await startS3();

it.runIf(python && s3)(
  "examples/train_and_evaluate.py trains in PyTorch, pushes to S3 and prints the metrics",
  async () => {
    const folder = await emptyFolder();
    Object.assign(process.env, s3!.env); // the service runs in this process, and the SDK reads its environment
    const service = await serve(readConfig({ COLLAPSAR_HOME: join(folder, "home"), PORT: "0" }));
    try {
      const env = { ...process.env, ...s3!.env, COLLAPSAR_URL: service.url, COLLAPSAR_TOKEN: "" };
      const { stdout } = await promisify(execFile)(python!, [EXAMPLE, `s3://${s3!.bucket}/example`], {
        env,
        cwd: folder,
      });
      const { runs, recorded } = JSON.parse(stdout.trim().split("\n").at(-1)!);
      expect(runs).toEqual(["example-safetensors", "example-pt"]);
      expect(recorded).toMatchObject({ samples: 500 });
      const api = serviceAt(service.url);
      const [first, second] = await Promise.all(
        runs.map(async (run: string) => (await api.request<RunMetrics>(`/runs/${run}/metrics`)).metrics[0]!.values),
      );
      expect(first).toEqual(recorded);
      expect(second).toEqual(first); // the same weights, from either format
      expect(first.accuracy).toBeGreaterThan(0.2);
      expect(await api.request(`/runs/${runs[1]}`)).toMatchObject({ experiment: "example", group: "ce", seed: 1 });
    } finally {
      await service.stop();
      await s3!.stop();
      await rm(folder, { recursive: true });
    }
  },
  180_000,
);
