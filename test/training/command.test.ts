import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../src/api/serve.ts";
import { serviceAt } from "../../src/commands/connection.ts";
import { readConfig } from "../../src/config.ts";

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
    expect(stderr).toMatch(
      /^digits-nc-seed1 {2}epoch 1\/1 {2}100 % {2}loss [\d.]+ {2}accuracy [\d.]+ % {2}[\d.]+ img\/s {2}0:00 left \(batch: /m,
    );
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
    ["--l2-norm", "true,no", 'option --l2-norm: expected true, false or true,false, got "true,no"'],
    ["--preset", "paper", "option --preset: expected the name of a preset or a JSON file, got "],
    ["--schedule", "linear", "argument 'linear' is invalid. Allowed choices are step, cosine."],
    ["--arch", "vgg", "argument 'vgg' is invalid. Allowed choices are resnet18, resnet34, resnet50,"],
  ])("says what is wrong with %s %s and exits with 2", async (option, value, message) => {
    const { code, stdout, stderr } = await train(option, value);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("prints the plan of a grid and its cost, and trains nothing", async () => {
    const grid = [
      "--loss",
      "ce,nc",
      "--l2-norm",
      "true,false",
      "--seeds",
      "1-2",
      "--concurrency",
      "2",
      "--to",
      "planned",
    ];
    const { code, stdout } = await train(...grid, "--epochs", "3", "--dry-run", "--json");
    const plan = JSON.parse(stdout);
    expect(plan.runs.map(({ run, group }: { run: string; group: string }) => [run, group]).slice(0, 5)).toEqual([
      ["digits-ce+l2-seed1", "ce+l2"],
      ["digits-ce-seed1", "ce"],
      ["digits-nc+l2-seed1", "nc+l2"],
      ["digits-nc-seed1", "nc"],
      ["digits-ce+l2-seed2", "ce+l2"],
    ]);
    expect(plan.runs).toHaveLength(8);
    expect(plan.coreSeconds).toBeCloseTo((8 * 3 * 64) / plan.imagesPerSecond, 9);
    expect(plan.seconds).toBeCloseTo(plan.coreSeconds / 2, 9);
    expect(existsSync(join(folder, "planned"))).toBe(false);
    await train("--loss", "nc", "--epochs", "2", "--to", "planned", "--quiet");
    const text = (await train(...grid, "--epochs", "3", "--dry-run")).stdout;
    expect(text).toMatch(/^digits-nc-seed1 +nc +3 +2 +64 +0\.\d+ MB$/m);
    expect(text).toMatch(/^8 runs, 2 at a time; .* MB to store\.$/m);
    expect(code).toBe(0);
  });

  it("submits every checkpoint for evaluation, and once it is recorded is answered from the record", async () => {
    const args = [
      "--epochs",
      "2",
      "--images-per-epoch",
      "64",
      "--to",
      "evaluated",
      "--evaluate",
      "--ood",
      "fashion-sample",
    ];
    const { code, stdout } = await train(...args, "--json");
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const evaluated = events.filter(({ phase }) => phase === "evaluated");
    expect(evaluated.map(({ status, checkpoint }) => [status, checkpoint.replace(/.*\//, "")])).toEqual([
      ["succeeded", "epoch-0001.safetensors"],
      ["succeeded", "epoch-0002.safetensors"],
    ]);
    const again = await train(...args);
    expect(again.stdout).toMatch(/^1 runs trained, 2 checkpoints below .*, 2 of them submitted for evaluation$/m);
    expect(again.stdout).toMatch(/^Next: npx collapsar aggregate --experiment digits --by group$/m);
  }, 60_000);

  it("submits to the service that has the database, and to one by its URL, and leaves these to go on", async () => {
    const service = await serve({ ...readConfig({}, folder), port: 0 }, { worker: false });
    try {
      const common = ["--epochs", "1", "--json", "--to", "served"];
      const submitted = async (...args: readonly string[]) => {
        const { code, stdout } = await train(...common, ...args);
        expect(code).toBe(0);
        const events = stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
        expect(events.map(({ phase }) => phase).sort()).toEqual(["ended", "pushed", "submitted"]);
        return events.find(({ phase }) => phase === "submitted").evaluation;
      };
      const ids = [await submitted("--evaluate"), await submitted("--seeds", "2", "--evaluate", `${service.url}/`)];
      for (const id of ids)
        expect(await serviceAt(service.url).request(`/evaluations/${id}`)).toMatchObject({ status: "queued" });
    } finally {
      await service.stop();
    }
  }, 60_000);

  it("trains on where a service does not answer, and says what was not evaluated", async () => {
    const { code, stderr } = await train(
      "--epochs",
      "1",
      "--to",
      "alone",
      "--evaluate",
      "http://127.0.0.1:9",
      "--quiet",
    );
    expect(stderr).toMatch(
      /^collapsar: 1 of 1 checkpoints were not evaluated; file:.*epoch-0001\.safetensors: the service at http:\/\/127\.0\.0\.1:9 does not answer \(database-unavailable\); the same command submits them again/,
    );
    expect(code).toBe(1);
    expect(existsSync(join(folder, "alone", "digits", "digits-ce-seed1", "epoch-0001.safetensors"))).toBe(true);
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
