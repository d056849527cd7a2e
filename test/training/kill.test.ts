import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/train.ts", import.meta.url));
const RECIPE =
  "--dataset digits --width 2 --batch-size 32 --images-per-epoch 96 --epochs 24 --seeds 1-2 --sampling stratified --augment crop-flip";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-kill-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A batch with a process group of its own, so that a kill reaches the parent and all runs at the same moment. */
function start(to: string) {
  const args = [SCRIPT, ...RECIPE.split(" "), "--to", to, "--json"];
  return spawn(process.execPath, args, { cwd: folder, detached: true, stdio: ["ignore", "pipe", "inherit"] });
}

/** Returns once the batch has printed so many lines. */
async function said({ stdout }: ChildProcess, lines: number): Promise<void> {
  let text = "";
  const enough = Promise.withResolvers<void>();
  stdout!.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    if (text.split("\n").length > lines) enough.resolve();
  });
  await enough.promise;
}

/** Every file of the batch, by its path, in base64. */
async function stored(to: string): Promise<Record<string, string>> {
  const names = (await readdir(join(folder, to), { recursive: true })).filter((name) => name.endsWith(".safetensors"));
  const files = names.sort().map(async (name) => [name, (await readFile(join(folder, to, name))).toString("base64")]);
  return Object.fromEntries(await Promise.all(files));
}

describe("a batch that is killed with -9", { timeout: 300_000 }, () => {
  it("three times ends with the bytes of one that was not", async () => {
    const whole = start("whole");
    whole.stdout!.resume();
    expect((await once(whole, "close"))[0]).toBe(0);
    let last = 0;
    for (const lines of [1, 2, 4]) {
      const batch = start("killed");
      await said(batch, lines);
      process.kill(-batch.pid!, "SIGKILL");
      const [code] = await once(batch, "close");
      expect(code).toBeNull();
      const checkpoints = Object.keys(await stored("killed")).filter((name) => !name.includes("optimizer")).length;
      expect(checkpoints).toBeGreaterThan(last);
      last = checkpoints;
    }
    const rest = start("killed");
    let told = "";
    rest.stdout!.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
    expect((await once(rest, "close"))[0]).toBe(0);
    // it went on and did not begin again
    expect(told.match(/"phase":"pushed"/g)!.length).toBe(48 - last);
    expect(await stored("killed")).toEqual(await stored("whole"));
  });
});
