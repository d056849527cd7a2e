import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, serve } from "../../src/api/serve.ts";
import { openBrowser } from "../../src/commands/browser.ts";
import { readConfig } from "../../src/config.ts";
import { openServer } from "../../src/database/server.ts";
import { checkpointBytes, emptyFolder } from "../api/samples.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { runProgram } from "./program.ts";

const postgres = await startPostgres();
let folder: string;
beforeAll(async () => {
  folder = await emptyFolder();
});
afterAll(async () => {
  await postgres?.stop();
  await rm(folder, { recursive: true });
});

const PLAIN = { NO_COLOR: "1" };
const named = (checks: { name: string }[], name: string) => checks.find((check) => check.name === name);

describe("collapsar doctor", { timeout: 60_000 }, () => {
  it("runs every engine, and says what is here", async () => {
    const { code, stdout } = await runProgram(folder, PLAIN, "doctor", "--json");
    expect(code).toBe(0);
    const checks = JSON.parse(stdout);
    for (const name of ["runtime", "database", "storage", "engine onnxruntime", "engine wasm", "access"])
      expect(named(checks, name)).toMatchObject({ status: "ok", fix: null });
    expect(named(checks, "data")).toMatchObject({ found: expect.stringContaining("here: digits, ") });
    expect((await runProgram(folder, PLAIN, "doctor", "--quiet")).stdout).toBe("");
  });

  it("names what is broken, says what to do, and exits 1", async () => {
    await writeFile(join(folder, "no-folder"), "");
    const env = {
      ...PLAIN,
      COLLAPSAR_STORE: "no-folder/store",
      DATABASE_URL: "postgres://127.0.0.1:1/none",
      HOST: "0.0.0.0",
    };
    const { code, stdout, stderr } = await runProgram(folder, env, "doctor");
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ database: .*cannot be used/);
    expect(stdout).toMatch(/✗ storage: .*\n {2}→ check COLLAPSAR_STORE/);
    expect(stdout).toMatch(/• access: HOST 0\.0\.0\.0 lets other machines in/);
    expect(stderr).toMatch(/2 of \d+ checks failed: database, storage/);
  });

  it("says that nothing can be written where the embedded database would be", async () => {
    await writeFile(join(folder, "a-file"), "");
    const env = { ...PLAIN, COLLAPSAR_HOME: "a-file/home", COLLAPSAR_STORE: "store" };
    const { code, stdout } = await runProgram(folder, env, "doctor");
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ database: \S+a-file cannot be written: ENOTDIR\n {2}→ set COLLAPSAR_HOME/);
  });

  it.runIf(postgres)("tells a PostgreSQL without the schema from one that has it, and changes neither", async () => {
    const env = { ...PLAIN, DATABASE_URL: await freshDatabase(postgres!) };
    const look = async () => named(JSON.parse((await runProgram(folder, env, "doctor", "--json")).stdout), "database");
    expect(await look()).toMatchObject({ status: "note", found: expect.stringMatching(/lacks \d+ migrations/) });
    expect(await look()).toMatchObject({ status: "note", fix: expect.stringContaining("collapsar migrate") });
    await (await openServer(env.DATABASE_URL)).close();
    expect(await look()).toMatchObject({ status: "ok", found: expect.stringContaining("up to date") });
  });
});

describe("collapsar open", { timeout: 60_000 }, () => {
  const remote = { ...PLAIN, SSH_CONNECTION: "here there" };
  let service: RunningService | undefined;
  afterAll(() => service?.stop());

  it("says so where no service runs", async () => {
    const { code, stderr } = await runProgram(folder, { ...remote, PORT: "1" }, "open");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("collapsar serve (not-found)") });
  });

  it("says so where another program answers", async () => {
    const other = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { code, stderr } = await runProgram(folder, remote, "open", "--url", url);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`no service answers at ${url}`) });
    await writeFile(join(folder, "c.safetensors"), checkpointBytes());
    const args = ["push", "c.safetensors", "--run", "r", "--evaluate", url];
    expect((await runProgram(folder, remote, ...args)).stderr).toContain("answered 404 and is no Collapsar service");
    other.close();
  });

  it("finds the service that has the embedded database, and prints its address where nobody sees a browser", async () => {
    service = await serve(readConfig({ COLLAPSAR_HOME: join(folder, ".collapsar"), PORT: "0" }));
    expect((await runProgram(folder, remote, "open")).stdout).toBe(`${service.url}/\n`);
    const { stdout } = await runProgram(folder, remote, "open", "/runs/a", "--json");
    expect(JSON.parse(stdout)).toEqual({ url: `${service.url}/runs/a`, opened: false });
  });

  it.runIf(process.platform === "linux")("starts the browser where there is a display", async () => {
    const bin = join(folder, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "xdg-open"), "#!/bin/sh\n");
    await chmod(join(bin, "xdg-open"), 0o755);
    expect(await openBrowser("http://127.0.0.1/", { PATH: `${bin}:/bin:/usr/bin`, DISPLAY: ":0" })).toBe(true);
    expect(await openBrowser("http://127.0.0.1/", { PATH: folder, DISPLAY: ":0" })).toBe(false);
    expect(await openBrowser("http://127.0.0.1/", { PATH: bin })).toBe(false);
  });
});
