import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { getEvaluation } from "../../src/database/evaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { submitterOf } from "../../src/jobs/submit.ts";
import { openStorage } from "../../src/storage/open.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await emptyFolder();
  env = { COLLAPSAR_HOME: join(folder, "home"), COLLAPSAR_FILE_ROOT: folder };
});
afterAll(() => rm(folder, { recursive: true }));

function drain(): Promise<{ code: number; lines: Record<string, unknown>[] }> {
  const { DATABASE_URL: _, ...rest } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROGRAM, "worker", "--until-empty"],
      { cwd: folder, env: { ...rest, ...env } },
      (error, _stdout, stderr) => {
        const lines = stderr
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
        resolve({ code: error ? Number(error.code) : 0, lines });
      },
    );
  });
}

async function withDatabase<T>(use: (database: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> {
  const database = await openDatabase(readConfig(env, folder), "collapsar test");
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

it("drains the queue and ends with 0, whatever the evaluations come to", { timeout: 120_000 }, async () => {
  await writeFile(join(folder, "good.safetensors"), checkpointBytes());
  await writeFile(join(folder, "bad.safetensors"), "not a checkpoint at all");
  const ids = await withDatabase(async (database) => {
    const queue = await openQueue(database, console.error);
    const sources = { storage: openStorage({ fileRoots: [folder] }), data: [] };
    const submit = submitterOf(queue, sources);
    const files = ["good.safetensors", "bad.safetensors"];
    const sent = [];
    for (const file of files) sent.push(await submit({ checkpoint: fileUrl(folder, file) }));
    await queue.stop({ graceful: true });
    return sent.map(({ evaluation }) => evaluation.id);
  });
  const { code, lines } = await drain();
  expect(code).toBe(0);
  expect(lines.at(-1)).toMatchObject({ msg: "stopping", reason: "empty queue" });
  const ofJobs = lines.filter(({ msg }) => !["working", "stopping"].includes(msg as string));
  expect(ofJobs.map(({ evaluation, attempt, code }) => [evaluation, attempt, code])).toEqual([
    [ids[0], 1, undefined],
    [ids[0], 1, undefined],
    [ids[1], 1, undefined],
    [ids[1], 1, "malformed-checkpoint"],
  ]);
  const ended = await withDatabase((database) => Promise.all(ids.map((id) => getEvaluation(database, id))));
  expect(ended).toMatchObject([{ status: "succeeded" }, { status: "failed", error: { code: "malformed-checkpoint" } }]);
});
