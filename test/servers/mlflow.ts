import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** An MLflow server for tests, empty. */
export interface Mlflow {
  readonly url: string;
  stop(): Promise<void>;
}

/** Returns the MLflow server that `python` has, started on SQLite in a folder of its own. */
export async function startMlflow(python: string): Promise<Mlflow> {
  const folder = mkdtempSync(join(tmpdir(), "collapsar-mlflow-"));
  const port = await freePort();
  const options = ["--host", "127.0.0.1", "--port", String(port), "--workers", "1"];
  const stores = ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "artifacts"];
  // in a group of its own, for it starts workers
  const server = spawn(python, ["-m", "mlflow", "server", ...options, ...stores], {
    cwd: folder,
    detached: true,
    env: { ...process.env, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const log: string[] = [];
  server.stderr.on("data", (chunk) => log.push(String(chunk)));
  const kill = () => server.exitCode === null && process.kill(-server.pid!, "SIGKILL");
  process.once("exit", kill); // a test run that is broken off leaves nothing behind
  const stop = async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    if (kill()) await ended;
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 900 && server.exitCode === null; attempt++) {
    if (
      await fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return { url, stop };
    await wait(100);
  }
  await stop();
  throw new Error(`MLflow did not start:\n${log.join("")}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
