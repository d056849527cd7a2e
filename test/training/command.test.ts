import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/train.ts", import.meta.url));
const SMALL = "--dataset digits --width 2 --batch-size 32 --images-per-epoch 64".split(" ");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-train-"));
});
afterAll(() => rm(folder, { recursive: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [SCRIPT, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  const ended = once(child, "close").then(([code]) => ({ code: code as number, ...output }));
  return { child, ended };
}

const train = (...args: readonly string[]) => start([...SMALL, ...args]).ended;

describe("collapsar train", () => {
  it("trains every loss and seed, and tells where the checkpoints are and what to do next", async () => {
    const { code, stdout, stderr } = await train("--loss", "ce,nc", "--epochs", "1", "--to", "store");
    const url = pathToFileURL(join(folder, "store", "digits")).href;
    expect(stdout.split("\n")).toEqual([
      `2 runs trained, 2 checkpoints below ${url}`,
      `Next: npx collapsar evaluate ${url}/digits-ce-seed1/epoch-0001.safetensors`,
      "",
    ]);
    expect(stderr).toMatch(/^digits-nc-seed1 +epoch 1\/1 100 % +loss [\d.]+ +[\d.]+ img\/s +0:00 left \(batch: /m);
    expect(stderr).toMatch(/^✓ digits-ce-seed1 {2}1 epochs$/m);
    expect(code).toBe(0);
  });

  it("tells a program of every epoch and every run's end", async () => {
    const { code, stdout, stderr } = await train("--epochs", "2", "--to", "json", "--json");
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ phase, epoch, status }) => [phase, epoch ?? status])).toEqual([
      ["pushed", 1],
      ["pushed", 2],
      ["ended", "succeeded"],
    ]);
    expect([code, stderr]).toEqual([0, ""]);
  });

  it.each([
    ["--epochs", "0", "option --epochs: expected a whole number from 1"],
    ["--width", "wide", "option --width: expected a whole number from 1"],
    ["--seeds", "1-", 'option --seeds: expected numbers and ranges such as 1-3,7, got "1-"'],
    ["--loss", "ce,mse", "option --loss: expected one of ce, nc"],
    ["--images-per-epoch", "16", "option --images-per-epoch: expected at least one batch (32 images), got 16"],
    ["--arch", "vgg", "argument 'vgg' is invalid. Allowed choices are resnet18, resnet34, resnet50,"],
  ])("says what is wrong with %s %s and exits with 2", async (option, value, message) => {
    const { code, stdout, stderr } = await train(option, value);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("fails in one line over an unknown dataset", async () => {
    const { code, stdout, stderr } = await train("--dataset", "dogs");
    expect(stderr).toMatch(/^collapsar: .*dogs.* \(unknown-dataset\)\n$/);
    expect([code, stdout]).toEqual([1, ""]);
  });

  it("fails over a run that failed, after the others are done", async () => {
    const { code, stdout, stderr } = await train("--learning-rate", "1e30", "--to", "failed", "--quiet");
    expect(stderr).toMatch(/^collapsar: 1 of 1 runs failed; digits-ce-seed1: .*diverged.*\(non-finite-weight\)\n$/);
    expect([code, stdout]).toEqual([1, ""]);
  });

  it("stops at Ctrl-C and goes on from there", async () => {
    const args = [...SMALL, "--to", "interrupted", "--json"];
    const { child, ended } = start([...args, "--epochs", "1000"]);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    const summary = JSON.parse(stdout.trim().split("\n").at(-1)!);
    expect(summary).toMatchObject({ phase: "ended", status: "cancelled" });
    expect(stderr).toBe("collapsar: stopped; the same command goes on after the last finished epochs (cancelled)\n");
    expect(code).toBe(1);

    const epochs = summary.epochs + 2;
    const resumed = await start([...args, "--epochs", String(epochs)]).ended;
    const events = resumed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events[0].epoch).toBeGreaterThan(summary.epochs);
    expect(events.at(-1)).toMatchObject({ status: "succeeded", epochs });
    expect(events.at(-1).checkpoints).toHaveLength(epochs);
  });

  it("takes its runs along when it is killed", async () => {
    const { child, ended } = start([...SMALL, "--to", "killed", "--json", "--epochs", "1000"]);
    await once(child.stdout, "data");
    const runner = Number(execFileSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" }));
    child.kill("SIGKILL");
    await ended;
    const alive = () => {
      try {
        return process.kill(runner, 0);
      } catch {
        return false;
      }
    };
    for (let waited = 0; alive() && waited < 10_000; waited += 100) await sleep(100);
    expect(alive()).toBe(false);
  });
});
