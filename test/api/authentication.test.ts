import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { readConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/database/open.ts";
import { SCOPES, type Scope } from "../../src/database/scopes.ts";
import { emptyFolder } from "./samples.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const PUBLIC = ["/healthz", "/readyz", "/openapi.json", "/docs", "/docs/style.css"];

/** Every endpoint of the contract under the scope that it needs. */
const SCOPED: Readonly<Record<Scope, readonly string[]>> = {
  read: [
    "GET /metrics",
    "GET /evaluations",
    "GET /evaluations/{id}",
    "GET /evaluations/{id}/details",
    "GET /evaluations/{id}/events",
    "GET /experiments",
    "GET /experiments/{experiment}",
    "GET /experiments/{experiment}/trajectories",
    "GET /runs",
    "GET /runs/{id}",
    "GET /runs/{id}/metrics",
    "GET /aggregate",
    "GET /compare",
    "GET /correlations",
  ],
  submit: ["POST /evaluate", "POST /evaluations/{id}/cancel", "POST /evaluations/{id}/retry", "POST /events/s3"],
  admin: ["PATCH /runs/{id}", "DELETE /runs/{id}", "GET /tokens", "POST /tokens", "DELETE /tokens/{name}"],
};
const NEEDED = { ...SCOPED, none: ["GET /healthz", "GET /readyz"] };

/** Returns method and path of an endpoint, with a name that nothing has for each parameter. */
const requestOf = (endpoint: string) => endpoint.replaceAll(/\{\w+\}/g, "x").split(" ") as [string, string];

let home: string;
let service: RunningService;
const issued = {} as Record<Scope, string>;

const config = (env: Record<string, string> = {}) => readConfig({ COLLAPSAR_HOME: home, PORT: "0", ...env });
const ask = (path: string, token?: string, init: RequestInit = {}) =>
  fetch(`${service.url}${path}`, {
    ...init,
    headers: { ...init.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
  });
const make = (name: string, scope: Scope, token?: string) =>
  ask("/tokens", token, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, scope }),
  });

beforeAll(async () => {
  home = await emptyFolder();
  service = await serve(config(), { worker: false });
});
afterAll(async () => {
  await service.stop();
  await rm(home, { recursive: true });
});

/** Runs the program; `COLLAPSAR_TOKEN` is `token`. */
function collapsar(args: string[], token = ""): Promise<{ status: number; output: string }> {
  const { DATABASE_URL: _, ...env } = process.env;
  const options = { cwd: home, env: { ...env, COLLAPSAR_HOME: home, COLLAPSAR_TOKEN: token } };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

/** A GET with headers that fetch does not let a caller choose. */
function getAs(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${service.url}/runs`, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    })
      .on("error", reject)
      .end();
  });
}

describe("a service without tokens", () => {
  it("says that it is open, and binds to loopback", () => {
    expect(service.open).toBe(true);
    expect(service.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });

  it("answers this machine, but no page of another site and no name that was made to lead here", async () => {
    expect(await getAs({})).toBe(200);
    expect(await getAs({ host: "localhost:8080", "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await getAs({ host: "[::1]:8080" })).toBe(200);
    expect(await getAs({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await getAs({ "sec-fetch-site": "same-site" })).toBe(403);
    expect(await getAs({ host: "rebound.example" })).toBe(403);
  });

  it("refuses to start where other machines reach it, and says how to make a token", async () => {
    const elsewhere = await emptyFolder();
    for (const HOST of ["0.0.0.0", "::", "192.168.1.2", "host.example"]) {
      const refused = serve(config({ COLLAPSAR_HOME: elsewhere, HOST }), { worker: false });
      await expect(refused).rejects.toMatchObject({
        code: "unauthorized",
        message: expect.stringMatching(/collapsar token create NAME --scope admin/),
      });
    }
    await rm(elsewhere, { recursive: true });
  });
});

describe("a service with tokens", () => {
  it("makes them through the command line, which reaches the service that holds the database", async () => {
    const { status, output } = await collapsar(["token", "create", "admin", "--scope", "admin"]);
    expect(status).toBe(0);
    expect(output).toMatch(/^clp_[\w-]{43}\n$/);
    issued.admin = output.trim();
    for (const scope of ["read", "submit"] as const) {
      const made = await make(scope, scope, issued.admin);
      expect(made.status).toBe(201);
      expect(made.headers.get("cache-control")).toBe("no-store");
      issued[scope] = ((await made.json()) as { token: string }).token;
    }
  });

  it("closes as soon as the first one is made", async () => {
    const answer = await ask("/runs");
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="collapsar"');
    expect(await answer.json()).toMatchObject({
      code: "unauthorized",
      detail: expect.stringContaining("COLLAPSAR_TOKEN"),
    });
  });

  it("says here of every endpoint of its contract which scope it needs", async () => {
    const { paths } = (await (await ask("/openapi.json")).json()) as { paths: Record<string, Record<string, unknown>> };
    const endpoints = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(endpoints.toSorted()).toEqual(Object.values(NEEDED).flat().toSorted());
  });

  it("answers each with 401 to a missing or wrong token, but the public ones and the dashboard", async () => {
    const page = await (await ask("/")).text();
    const [asset] = /\/assets\/[^"]+/.exec(page)!;
    const open = [...PUBLIC, "/", "/ui/runs/x", asset].map((path) => ["GET", path]);
    const closed = Object.values(SCOPED).flat().map(requestOf);
    const others = [
      ["GET", "/nowhere"],
      ["PUT", "/runs"],
      ["GET", "/docs/x"],
      ["POST", "/"],
      ["GET", "/assets"],
    ];
    for (const [method, path] of [...open, ...closed, ...others]) {
      const isOpen = open.some(([, public_]) => method === "GET" && public_ === path);
      for (const token of [undefined, "", "wrong", `${issued.read}x`]) {
        const { status, headers } = await ask(path!, token, { method: method! });
        expect({ method, path, token, status }).toEqual({ method, path, token, status: isOpen ? 200 : 401 });
        expect(headers.has("www-authenticate")).toBe(!isOpen);
      }
    }
  });

  it.each(
    (["read", "submit", "admin"] as const).flatMap((needed) =>
      SCOPED[needed].map((endpoint) => [endpoint, needed] as const),
    ),
  )("lets %s pass from the scope %s on", async (endpoint, needed) => {
    const [method, path] = requestOf(endpoint);
    for (const scope of SCOPES) {
      const { status, headers } = await ask(path, issued[scope], { method });
      const enough = SCOPES.indexOf(scope) >= SCOPES.indexOf(needed);
      expect({ scope, passed: status !== 401 && status !== 403 }).toEqual({ scope, passed: enough });
      if (!enough) expect(status).toBe(403);
      if (!enough) expect(headers.get("www-authenticate")).toContain(`error="insufficient_scope", scope="${needed}"`);
    }
  });

  it("takes no other path for a public one", async () => {
    for (const path of ["//healthz", "/healthz/", "/healthz/../runs", "/runs?/healthz", "/%68ealthz/x", "/Healthz"])
      expect((await ask(path)).status).toBe(401);
    expect((await ask("/healthz", undefined, { method: "POST" })).status).toBe(401);
  });

  it("lists them without themselves, and keeps digests alone", async () => {
    const listed = await (await ask("/tokens", issued.admin)).text();
    expect(JSON.parse(listed)).toMatchObject({ items: [{ name: "admin" }, { name: "read" }, { name: "submit" }] });
    for (const token of Object.values(issued)) expect(listed).not.toContain(token.slice(4));
  });

  it("refuses a name that is taken, an unknown scope and an unknown name", async () => {
    expect((await make("read", "admin", issued.admin)).status).toBe(409);
    expect((await make("other", "root" as Scope, issued.admin)).status).toBe(400);
    expect((await make("no/slash", "read", issued.admin)).status).toBe(400);
    expect((await ask("/tokens/nobody", issued.admin, { method: "DELETE" })).status).toBe(404);
  });

  it("takes COLLAPSAR_TOKEN from the command line, and tells of it where it is missing", async () => {
    expect(await collapsar(["runs"])).toMatchObject({
      status: 1,
      output: expect.stringContaining("COLLAPSAR_TOKEN (unauthorized)"),
    });
    expect(await collapsar(["runs"], issued.read)).toMatchObject({ status: 0 });
    const list = await collapsar(["token", "list"], issued.admin);
    expect(list.output).toMatch(/admin +admin +\d{4}-/);
    expect(await collapsar(["token", "list"], issued.read)).toMatchObject({ status: 1 });
  });

  it("writes a token to a file for its owner alone, and makes it once", async () => {
    const out = join(home, "token");
    const args = ["token", "create", "file", "--scope", "read", "--out", out, "--if-absent"];
    const first = await collapsar(args, issued.admin);
    const token = await readFile(out, "utf8");
    expect(first.output).not.toContain(token);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    expect((await ask("/runs", token)).status).toBe(200);
    expect(await collapsar(args, issued.admin)).toMatchObject({ status: 0, output: "token file exists already\n" });
    expect(await readFile(out, "utf8")).toBe(token);
  });

  it("keeps no token that it could not write to its file", async () => {
    const args = ["token", "create", "lost", "--scope", "read", "--out", join(home, "none", "token")];
    const { status, output } = await collapsar(args, issued.admin);
    expect(status).toBe(1);
    expect(output).toMatch(/--out .* cannot be written: ENOENT.*\(invalid-request\)/);
    expect((await collapsar(["token", "list"], issued.admin)).output).not.toContain("lost");
  });

  it("takes a token that was made elsewhere from a file, as often as it is given the same", async () => {
    const file = join(home, "secret");
    const token = `clp_${randomBytes(32).toString("base64url")}`;
    await writeFile(file, `${token}\n`);
    const args = ["token", "create", "given", "--scope", "submit", "--from", file];
    for (const _ of [1, 2]) {
      const { status, output } = await collapsar(args, issued.admin);
      expect({ status, output }).toEqual({ status: 0, output: `token given is that of ${file}\n` });
    }
    expect((await ask("/runs", token)).status).toBe(200);
    await writeFile(file, `clp_${randomBytes(32).toString("base64url")}`);
    expect(await collapsar(args, issued.admin)).toMatchObject({
      status: 1,
      output: expect.stringContaining("(conflict)"),
    });
    await writeFile(file, "clp_guessable");
    expect(await collapsar(args, issued.admin)).toMatchObject({
      status: 1,
      output: expect.stringContaining("32 random bytes"),
    });
    expect(await collapsar([...args, "--from", join(home, "nowhere")], issued.admin)).toMatchObject({ status: 1 });
    expect((await ask("/tokens/given", issued.admin, { method: "DELETE" })).status).toBe(204);
  });

  it("refuses a revoked token at once, and stays closed without any", async () => {
    expect((await ask("/runs", issued.read)).status).toBe(200);
    for (const name of ["read", "submit", "file", "admin"])
      expect((await ask(`/tokens/${name}`, issued.admin, { method: "DELETE" })).status).toBe(204);
    for (const token of [issued.read, issued.admin, undefined]) expect((await ask("/runs", token)).status).toBe(401);
  });
});

describe("tokens in the database", () => {
  it("are digests, so that who reads it can use none, and let a service serve other machines", async () => {
    const elsewhere = await emptyFolder();
    const env = { COLLAPSAR_HOME: elsewhere };
    const first = await serve(config(env), { worker: false });
    const body = JSON.stringify({ name: "a", scope: "read" });
    const headers = { "content-type": "application/json" };
    const made = await first.request("/tokens", { method: "POST", headers, body });
    const { token } = (await made.json()) as { token: string };
    await first.stop();

    const second = await serve(config({ ...env, HOST: "0.0.0.0" }), { worker: false });
    expect(second.open).toBe(false);
    const url = second.url.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(`${url}/runs`)).status).toBe(401);
    const shown = await fetch(`${url}/runs`, { headers: { authorization: `bearer ${token}` } });
    expect(shown.status).toBe(200);
    await second.stop();

    const database = await openDatabase({ home: elsewhere, databaseUrl: null }, "collapsar test");
    const { rows } = (await database.orm.execute(sql`select * from tokens`)) as unknown as { rows: unknown[] };
    await database.close();
    expect(rows).toMatchObject([{ name: "a", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(JSON.stringify(rows)).not.toContain(token.slice(4));
    await rm(elsewhere, { recursive: true });
  });
});

describe("every answer", () => {
  it("has security headers, errors too", async () => {
    for (const path of ["/healthz", "/runs"]) {
      const { headers } = await ask(path);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'self';.*frame-ancestors 'none'/);
      expect(headers.get("content-security-policy")).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
  });

  it("is refused where the headers are too large, and after many wrong tokens from one address", async () => {
    expect(await getAs({ padding: "x".repeat(20_000) })).toBe(431);
    const statuses: number[] = [];
    for (let i = 0; i < 60; i++)
      statuses.push(
        ...(await Promise.all(Array.from({ length: 11 }, () => ask("/runs", "wrong")))).map((r) => r.status),
      );
    expect(statuses).toContain(429);
    expect((await ask("/healthz")).status).toBe(200);
  });
});
