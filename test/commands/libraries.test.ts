import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serviceAt, submit } from "../../src/commands/connection.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { ENGINES } from "../engines/engines.ts";
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

/** Returns which of them are mapped into the memory of the process or of one that it started; Linux tells. */
function loadedBy({ child }: Started): string[] {
  const maps = familyOf(child.pid!).map((pid) => readFileSync(`/proc/${pid}/maps`, "utf8"));
  const files = [...maps.join("\n").matchAll(/ (\/\S+\.(?:so|node)\S*)$/gm)].map(([, file]) => file!);
  return Object.entries(NATIVE).flatMap(([name, pattern]) => (files.some((file) => pattern.test(file)) ? [name] : []));
}

function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

/** Metrics take their products of float32 on ONNX Runtime, whatever engine ran the network. */
const OF_METRICS = "onnxruntime";

describe.runIf(process.platform === "linux")("native libraries", () => {
  it("are none in a service that only takes submissions, and none in one whose worker has had nothing to do", async () => {
    for (const args of [["serve", "--no-worker"], ["serve"]]) {
      const service = await start(...args);
      for (const path of ["/healthz", "/readyz", "/runs", "/metrics", "/openapi.json", "/"])
        expect((await fetch(`${service.url}${path}`)).status).toBe(200);
      if (args.includes("--no-worker")) {
        const queued = await submit(serviceAt(service.url), { checkpoint: fileUrl(folder, "c.safetensors") });
        await serviceAt(service.url).request(`/evaluations/${queued.id}/cancel`, { method: "POST" });
      }
      expect([args, loadedBy(service)]).toEqual([args, []]);
      await stopProgram(service);
    }
  });

  it.each(ENGINES)("of a worker that evaluates on %s are its own and those of metrics", async (engine) => {
    const service = await start("serve");
    const request = { checkpoint: fileUrl(folder, "c.safetensors"), engine };
    expect(await submit(serviceAt(service.url), request, 60)).toMatchObject({ status: "succeeded", error: null });
    expect(loadedBy(service)).toEqual(engine === "tensorflow" ? [OF_METRICS, "tensorflow"] : [OF_METRICS]);
    await stopProgram(service);
  });
});
