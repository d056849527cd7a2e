import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/database/open.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { emptyFolder } from "../api/samples.ts";
import { evaluated, submission } from "../database/samples.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const run = promisify(execFile);

describe("collapsar evaluations", { timeout: 60_000 }, () => {
  let folder: string;
  let id: string;
  const evaluations = (...args: string[]) => {
    const { DATABASE_URL: _, ...env } = process.env;
    const place = { ...env, COLLAPSAR_HOME: join(folder, "home") };
    return run(process.execPath, [PROGRAM, "evaluations", ...args], { cwd: folder, env: place });
  };

  beforeAll(async () => {
    folder = await emptyFolder();
    const database = await openDatabase({ home: join(folder, "home"), databaseUrl: null }, "collapsar test");
    const queue = await openQueue(database, console.error);
    id = (await queue.submit(submission())).evaluation.id;
    await queue.stop({ graceful: true });
    await database.close();
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("lists, cancels and retries without a service", async () => {
    const waiting = JSON.parse((await evaluations("--json", "--status", "queued")).stdout);
    expect(waiting).toMatchObject([{ id, status: "queued" }]);
    expect((await evaluations("--cancel", id)).stdout).toBe(`evaluation ${id} is cancelled\n`);
    expect((await evaluations("--status", "cancelled")).stdout).toContain(id);
    expect((await evaluations("--status", "queued")).stdout).toBe("no such evaluations\n");
    expect(JSON.parse((await evaluations("--retry", id, "--json")).stdout)).toMatchObject({ id, status: "queued" });
    await expect(evaluations("--retry", id)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("(conflict)"),
    });
  });

  it("names the file of a checkpoint whose run is known, else its URL", async () => {
    const database = await openDatabase({ home: join(folder, "home"), databaseUrl: null }, "collapsar test");
    await evaluated(database, { run: { id: "known" }, values: { nc1: 1 } });
    await database.close();
    const { stdout } = await evaluations();
    expect(stdout).toMatch(/ known +a\.safetensors$/m);
    expect(stdout).toMatch(/ – +s3:\/\/models\/a\.safetensors$/m);
  });

  it("knows which statuses there are, and cancels or retries", async () => {
    await expect(evaluations("--status", "lost")).rejects.toMatchObject({ code: 2 });
    await expect(evaluations("--cancel", id, "--retry", id)).rejects.toMatchObject({ code: 2 });
  });
});
