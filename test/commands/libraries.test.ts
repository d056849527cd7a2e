import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { serviceAt, submit, untilEnded } from "../../src/commands/connection.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { type Started, startProgram, stopProgram } from "./program.ts";

/** Native libraries of ours, by a part of their path. Those of Node itself are in its program. */
const NATIVE = { onnxruntime: /onnxruntime/, tensorflow: /tensorflow/, sharp: /@img\/|libvips|sharp/ };

let folder: string;
let env: NodeJS.ProcessEnv;
const started: Started[] = [];

beforeAll(async () => {
  folder = await emptyFolder();
  const { DATABASE_URL: _, ...own } = process.env;
  env = { ...own, COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, PORT: "0" };
  await writeFile(join(folder, "c.safetensors"), checkpointBytes());
});
afterAll(async () => {
  await Promise.all(started.map((one) => stopProgram(one)));
  await rm(folder, { recursive: true });
});

async function start(...args: string[]): Promise<Started> {
  const one = await startProgram(folder, env, ...args);
  started.push(one);
  return one;
}

/** Returns which of them are mapped into the memory of the process; Linux tells. */
function loadedBy({ child }: Started): string[] {
  const maps = readFileSync(`/proc/${child.pid}/maps`, "utf8");
  const files = [...new Set([...maps.matchAll(/ (\/\S+\.(?:so|node)\S*)$/gm)].map(([, file]) => file!))];
  return Object.entries(NATIVE).flatMap(([name, pattern]) => (files.some((file) => pattern.test(file)) ? [name] : []));
}

it.runIf(process.platform === "linux")(
  "a service has no native library, and a worker that of the engine in use",
  async () => {
    const service = await start("serve", "--no-worker");
    for (const path of ["/healthz", "/readyz", "/runs", "/metrics", "/openapi.json", "/"])
      expect((await fetch(`${service.url}${path}`)).status).toBe(200);
    const queued = await submit(serviceAt(service.url), { checkpoint: fileUrl(folder, "c.safetensors") });
    expect(queued.status).toBe("queued");
    expect(loadedBy(service)).toEqual([]);
    await stopProgram(service);

    const worker = await start("serve"); // takes up what was queued, on the default engine
    expect((await untilEnded(serviceAt(worker.url), queued)).status).toBe("succeeded");
    expect(loadedBy(worker)).toEqual(["onnxruntime"]);
    await stopProgram(worker);

    const other = await start("serve");
    const request = { checkpoint: fileUrl(folder, "c.safetensors"), engine: "wasm" } as const;
    expect(await submit(serviceAt(other.url), request, 60)).toMatchObject({ status: "succeeded", error: null });
    expect(loadedBy(other)).toEqual([]);
  },
);
