import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parser } from "@prometheus-io/lezer-promql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createApp } from "../../src/api/app.ts";
import { serveProbes } from "../../src/api/probes.ts";
import { type RunningService, serve } from "../../src/api/serve.ts";
import type { Service } from "../../src/api/service.ts";
import { readConfig } from "../../src/config.ts";
import type { Database } from "../../src/database/database.ts";
import { openDatabase } from "../../src/database/open.ts";
import { createToken } from "../../src/database/tokens.ts";
import { dropDatabase, freshDatabase, startPostgres } from "../servers/postgres.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "./samples.ts";

const deployed = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url)), "utf8");

/** A time series of a scrape: `name{label="value",…}`, and its value. */
type Scrape = ReadonlyMap<string, number>;

function read(text: string): Scrape {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

const postgres = await startPostgres();
let folder: string;
let url: string | undefined;
let service: RunningService;

beforeAll(async () => {
  folder = await emptyFolder();
  url = postgres ? await freshDatabase(postgres) : undefined;
  const env = { COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder, PORT: "0" };
  service = await serve(readConfig({ ...env, ...(url && { DATABASE_URL: url }) }));
});
afterAll(async () => {
  await service.stop();
  if (postgres && url) await dropDatabase(postgres, url);
  await postgres?.stop();
  await rm(folder, { recursive: true });
});

async function scrape(): Promise<Scrape> {
  const response = await fetch(`${service.url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return read(await response.text());
}

async function evaluate(file: string, bytes: Uint8Array | string): Promise<void> {
  await writeFile(join(folder, file), bytes);
  const headers = { "content-type": "application/json", prefer: "wait=60" };
  const body = JSON.stringify({ checkpoint: fileUrl(folder, file) });
  expect((await fetch(`${service.url}/evaluate`, { method: "POST", headers, body })).status).toBe(200);
}

describe("/metrics", () => {
  it("tells of evaluations, jobs, stages, images and requests what happened", { timeout: 120_000 }, async () => {
    const empty = await scrape();
    expect(empty.get("collapsar_database_up")).toBe(1);
    expect(empty.get('collapsar_queue_jobs{state="waiting"}')).toBe(0);
    expect(empty.get("collapsar_queue_oldest_waiting_seconds")).toBe(0);
    await evaluate("good.safetensors", checkpointBytes());
    await evaluate("bad.safetensors", "no checkpoint");
    await fetch(`${service.url}/evaluations/secret-name`);
    await fetch(`${service.url}/no/such/path`);
    await fetch(`${service.url}/runs`, { method: "PROPFIND" });

    const after = await scrape();
    expect(after.get('collapsar_evaluations{status="succeeded",code=""}')).toBe(1);
    expect(after.get('collapsar_evaluations{status="failed",code="malformed-checkpoint"}')).toBe(1);
    expect(after.get('collapsar_attempts_total{outcome="done",code=""}')).toBe(1);
    expect(after.get('collapsar_attempts_total{outcome="failed",code="malformed-checkpoint"}')).toBe(1);
    expect(after.get("collapsar_images_total")).toBe(2000); // digits:test
    for (const stage of ["download", "open", "features", "metrics", "record"]) {
      expect(after.get(`collapsar_stage_duration_seconds_count{stage="${stage}"}`)).toBe(1);
      expect(after.get(`collapsar_stage_duration_seconds_sum{stage="${stage}"}`)).toBeGreaterThan(0);
    }
    const requests = (method: string, route: string, status: number) =>
      after.get(
        `collapsar_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`,
      );
    expect(requests("POST", "/evaluate", 200)).toBe(2);
    expect(requests("GET", "/evaluations/:id", 404)).toBe(1);
    expect(requests("GET", "none", 404)).toBe(1);
    expect(requests("other", "none", 404)).toBe(1);
    expect([...after.keys()].join()).not.toContain("secret-name");
    expect(after.get("process_resident_memory_bytes")).toBeGreaterThan(0);
  });

  it("needs a token with the scope read once there is one", async () => {
    const home = await emptyFolder();
    const config = readConfig({ COLLAPSAR_HOME: home, PORT: "0" });
    const database = await openDatabase(config, "test");
    const { token } = await createToken(database, { name: "prometheus", scope: "read" });
    await database.close();
    const closed = await serve(config, { worker: false });
    try {
      expect((await fetch(`${closed.url}/metrics`)).status).toBe(401);
      const authorization = `Bearer ${token}`;
      expect((await fetch(`${closed.url}/metrics`, { headers: { authorization } })).status).toBe(200);
    } finally {
      await closed.stop();
      await rm(home, { recursive: true });
    }
  });

  it("answers without the queue while the database is away", async () => {
    const away = { orm: { execute: () => Promise.reject(new Error("away")), select: () => expect.fail("not asked") } };
    const app = createApp({ database: away } as unknown as Service);
    const response = await app.request("/metrics");
    const series = read(await response.text());
    expect(response.status).toBe(200);
    expect(series.get("collapsar_database_up")).toBe(0);
    expect(series.has('collapsar_queue_jobs{state="waiting"}')).toBe(false);
    expect(series.get("process_cpu_seconds_total")).toBeGreaterThan(0);
  });
});

describe("the probes of a worker", () => {
  it("tell whether it is alive, ready, and what it does, without a token on this machine alone", async () => {
    const home = await emptyFolder();
    const database: Database = await openDatabase({ home, databaseUrl: null }, "test");
    const draining = new AbortController();
    const probes = await serveProbes(database, { host: "127.0.0.1", port: 0 }, draining.signal);
    try {
      const statuses = async () => {
        const answers = ["/healthz", "/readyz", "/metrics", "/runs"].map((path) => fetch(probes.url + path));
        return (await Promise.all(answers)).map(({ status }) => status);
      };
      expect(await statuses()).toEqual([200, 200, 200, 404]);
      draining.abort();
      expect(await statuses()).toEqual([200, 503, 200, 404]);
      const series = read(await (await fetch(`${probes.url}/metrics`)).text());
      expect(series.get("process_cpu_seconds_total")).toBeGreaterThan(0);
      expect(series.has("collapsar_database_up")).toBe(false); // the service tells it: workers may be many
      await expect(serveProbes(database, { host: "0.0.0.0", port: 0 }, draining.signal)).rejects.toThrow(/no token/);
      await createToken(database, { name: "prometheus", scope: "read" });
      const open = await serveProbes(database, { host: "0.0.0.0", port: 0 }, draining.signal);
      const { port } = new URL(open.url);
      expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(401);
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
      await open.close();
    } finally {
      await probes.close();
      await database.close();
      await rm(home, { recursive: true });
    }
  });
});

/** Returns the names of time series that a query asks for. @throws where it is no PromQL. */
function metricsOf(query: string): string[] {
  const names: string[] = [];
  parser
    .configure({ strict: true })
    .parse(query)
    .iterate({
      enter(node) {
        if (node.name === "VectorSelector") {
          const name = /^[A-Za-z_:][\w:]*/.exec(query.slice(node.from, node.to))?.[0];
          if (name) names.push(name);
        }
      },
    });
  return names;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

describe("what watches the service", () => {
  const dashboard = JSON.parse(deployed("grafana/collapsar.json")) as { panels: Panel[] };
  const rules = parse(deployed("prometheus/alerts.yaml")) as {
    groups: { rules: { alert: string; expr: string; for: string; annotations: { summary: string } }[] }[];
  };
  const alerts = rules.groups.flatMap((group) => group.rules);
  const queries = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...alerts.map(({ expr }) => expr),
  ].map((expr) => expr.replaceAll("$__rate_interval", "5m"));

  it("asks for time series that a real scrape has, in valid PromQL", async () => {
    const has = new Set([...(await scrape()).keys()].map((series) => series.replace(/\{.*$/, "")));
    const asked = new Set(queries.flatMap(metricsOf));
    expect(asked.size).toBeGreaterThan(8);
    expect([...asked].filter((name) => name !== "up" && !has.has(name))).toEqual([]);
  });

  it("shows every metric of ours in some panel", async () => {
    const asked = new Set(queries.flatMap(metricsOf).map((name) => name.replace(/_(bucket|count|sum)$/, "")));
    const ours = [...(await scrape()).keys()]
      .map((series) => series.replace(/\{.*$/, "").replace(/_(bucket|count|sum)$/, ""))
      .filter((name) => name.startsWith("collapsar_"));
    expect([...new Set(ours)].filter((name) => !asked.has(name))).toEqual([]);
  });

  it("says of each alert how long it has to last and what it means", () => {
    expect(alerts.length).toBeGreaterThan(4);
    for (const { annotations, ...alert } of alerts) {
      expect(alert.for).toMatch(/^\d+m$/);
      expect(annotations.summary).toMatch(/\S/);
    }
  });
});
