import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { startCollector } from "./collector.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const SERVER = 2;
const CONSUMER = 5;
const ERROR = 2;

const started: ChildProcess[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** Starts a service of its own, and returns its folder, URL, lines of log, and what stops it (its exit code). */
async function startService(endpoint: string) {
  const folder = await emptyFolder();
  folders.push(folder);
  const { DATABASE_URL: _, ...rest } = process.env;
  const own = { COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, PORT: "0", HOST: "" };
  const child = spawn(process.execPath, [PROGRAM, "serve"], {
    env: { ...rest, ...own, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    stdio: ["ignore", "ignore", "pipe"],
  });
  started.push(child);
  const lines: Record<string, unknown>[] = [];
  const url = await new Promise<string>((resolve) => {
    createInterface({ input: child.stderr! }).on("line", (text) => {
      const line = JSON.parse(text);
      lines.push(line);
      if (line.msg === "serving") resolve(line.url);
    });
  });
  const stop = async () => {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    return (await exit)[0];
  };
  return { folder, url, lines, stop };
}

it("shows a request, the evaluation it asked for and its stages as one trace, and its id in the log", {
  timeout: 120_000,
}, async () => {
  const collector = await startCollector();
  const { folder, url, lines, stop } = await startService(collector.url);
  await writeFile(join(folder, "a.safetensors"), checkpointBytes());
  const caller = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
  const response = await fetch(`${url}/evaluate`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      prefer: "wait=60",
      traceparent: `00-${caller.trace}-${caller.span}-01`,
    },
    body: JSON.stringify({ checkpoint: fileUrl(folder, "a.safetensors") }),
  });
  expect(response.status).toBe(200);
  const { id } = (await response.json()) as { id: string };
  await fetch(`${url}/evaluations/nowhere`);
  await fetch(`${url}/readyz`);
  expect(await stop()).toBe(0);

  const spans = await collector.until("GET /evaluations/:id");
  collector.stop();
  const ofTrace = spans.filter(({ trace }) => trace === caller.trace);
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(["collapsar"]));
  const request = ofTrace.find(({ name }) => name === "POST /evaluate")!;
  expect(request).toMatchObject({ parent: caller.span, kind: SERVER });
  expect(request.attributes).toMatchObject({ "http.route": "/evaluate", "http.response.status_code": 200 });
  const evaluation = ofTrace.find(({ name }) => name === "evaluate")!;
  expect(evaluation).toMatchObject({ parent: request.id, kind: CONSUMER });
  expect(evaluation.attributes).toMatchObject({ "collapsar.evaluation": id, "collapsar.attempt": 1 });
  const stages = ofTrace.filter(({ parent }) => parent === evaluation.id);
  expect(stages.map(({ name }) => name)).toEqual(["download", "open", "features", "metrics", "record"]);
  for (const [i, { start, end }] of stages.entries()) {
    expect(start).toBeGreaterThanOrEqual(evaluation.start - 5);
    expect(end).toBeLessThanOrEqual(evaluation.end + 5);
    if (i > 0) expect(start).toBeGreaterThanOrEqual(stages[i - 1]!.end - 5);
  }
  const missing = spans.find(({ name }) => name === "GET /evaluations/:id")!;
  expect(missing.trace).not.toBe(caller.trace);
  expect(missing.attributes["http.response.status_code"]).toBe(404);
  expect(spans.filter(({ name }) => name.includes("readyz"))).toEqual([]);
  const ofJob = lines.filter((line) => line.evaluation === id);
  expect(ofJob.map(({ trace_id }) => trace_id)).toEqual(ofJob.map(() => caller.trace));
  expect(ofJob.length).toBeGreaterThanOrEqual(2);
});

it("shows why an evaluation failed, and ends in time where the collector is away", { timeout: 120_000 }, async () => {
  const collector = await startCollector();
  const first = await startService(collector.url);
  await writeFile(join(first.folder, "bad.safetensors"), "no checkpoint");
  const body = JSON.stringify({ checkpoint: fileUrl(first.folder, "bad.safetensors") });
  const headers = { "content-type": "application/json", prefer: "wait=30" };
  await fetch(`${first.url}/evaluate`, { method: "POST", headers, body });
  expect(await first.stop()).toBe(0);
  const failed = (await collector.until("evaluate")).find(({ name }) => name === "evaluate")!;
  expect(failed.status).toMatchObject({ code: ERROR, message: expect.stringContaining("not a checkpoint") });
  expect(failed.attributes["error.type"]).toBe("malformed-checkpoint");
  collector.stop();

  const away = await startService(collector.url); // nobody listens there any more
  await fetch(`${away.url}/runs`);
  const begun = performance.now();
  expect(await away.stop()).toBe(0);
  expect(performance.now() - begun).toBeLessThan(8_000);
});

it.each([
  [false, []],
  [true, ["@opentelemetry/exporter-trace-otlp-proto", "@opentelemetry/sdk-trace"]],
])("loads OpenTelemetry only where traces are sent (%s)", (traced, expected) => {
  const source = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        seen.add(specifier);
        return next(specifier, context);
      },
    });
    const { startTracing } = await import("./src/telemetry/tracing.ts");
    await import("./src/jobs/attempt.ts");
    await startTracing({ traced: ${traced} });
    console.log(JSON.stringify(["exporter-trace-otlp-proto", "sdk-trace"].map((name) => "@opentelemetry/" + name).filter((name) => seen.has(name))));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", source], { encoding: "utf8" });
  expect(JSON.parse(output)).toEqual(expected);
});

it("refuses an endpoint that is no URL of HTTP, by name", () => {
  expect(() => readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" })).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT/);
});
