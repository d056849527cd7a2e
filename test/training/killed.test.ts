import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENGINES } from "./step/fixture.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/train.ts", import.meta.url));
const SMALL = "--dataset digits --width 2 --batch-size 32 --images-per-epoch 400 --epochs 16 --json".split(" ");
const RUN = "digits/digits-ce-seed1";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-killed-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Trains into `to` and returns the exit code; `kill` ends the process that trains with -9 when it has stored an epoch. */
async function train(to: string, engine: string, kill = false) {
  const args = [SCRIPT, ...SMALL, "--to", to, "--engine", engine];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  const closed = once(child, "close");
  await once(child.stdout, "data");
  child.stdout.resume();
  if (kill) process.kill(Number(execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" })), "SIGKILL");
  const [code] = await closed;
  return code;
}

async function stored(to: string): Promise<[string, string][]> {
  const names = (await readdir(join(folder, to, RUN))).sort();
  return Promise.all(
    names.map(async (name) => [name, (await readFile(join(folder, to, RUN, name))).toString("base64")]),
  );
}

describe.each(ENGINES)("a run on %s that is killed three times", (engine) => {
  it("ends with the bytes of one that was not", { timeout: 300_000 }, async () => {
    expect(await train(`whole-${engine}`, engine)).toBe(0);
    for (let killed = 0; killed < 3; killed++) expect(await train(`killed-${engine}`, engine, true)).toBe(1);
    expect(await train(`killed-${engine}`, engine)).toBe(0);
    expect(await stored(`killed-${engine}`)).toEqual(await stored(`whole-${engine}`));
  });
});
