import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { checkpointBytes, emptyFolder, fileUrl } from "../api/samples.ts";
import { startS3 } from "../servers/s3.ts";
import { runProgram } from "./program.ts";

const TORCH = fileURLToPath(new URL("../fixtures/torch/checkpoints/mnist.zip.pt", import.meta.url));

const s3 = await startS3();
let folder: string;
beforeAll(async () => {
  folder = await emptyFolder();
  const unnamed = checkpointBytes({ metadata: { run: null, epoch: null, seed: null, dataset: null } });
  await writeFile(join(folder, "last.safetensors"), unnamed);
  await writeFile(join(folder, "other.safetensors"), checkpointBytes({ seed: 2 }));
});
afterAll(async () => {
  await s3?.stop();
  await rm(folder, { recursive: true });
});

const collapsar = (...args: string[]) => runProgram(folder, { ...s3?.env }, ...args);
const PLACE = ["--run", "r1", "--experiment", "x", "--group", "ce", "--seed", "3", "--epoch", "4"];

describe("collapsar push", { timeout: 60_000 }, () => {
  const stores: [string, () => string][] = [["a folder", () => fileUrl(folder, "store")]];
  if (s3) stores.push(["S3", () => `s3://${s3.bucket}/pushed`]);

  it.each(stores)("stores a checkpoint in %s under the name that training gives, once", async (_, store) => {
    const args = ["--to", store(), ...PLACE];
    const url = `${store()}/x/r1/epoch-0004.safetensors`;
    expect(await collapsar("push", "last.safetensors", ...args, "--quiet")).toMatchObject({
      code: 0,
      stdout: `${url}\n`,
    });
    expect((await collapsar("push", "last.safetensors", ...args)).stdout).toBe(`${url} (was there already)\n`);
    const refused = await collapsar("push", "other.safetensors", ...args);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/other bytes: expected --force.*\(conflict\)/);
    const forced = await collapsar("push", "other.safetensors", ...args, "--force", "--json");
    expect(JSON.parse(forced.stdout)).toMatchObject({ url, written: true, evaluation: null });
  });

  it("writes the place into the metadata and leaves every tensor as it is", async () => {
    await collapsar("push", "last.safetensors", "--to", "store2", ...PLACE, "--dataset", "digits");
    const pushed = readSafetensors(await readFile(join(folder, "store2/x/r1/epoch-0004.safetensors")));
    const before = readSafetensors(await readFile(join(folder, "last.safetensors")));
    const place = { run: "r1", experiment: "x", group: "ce", seed: "3", epoch: "4", dataset: "digits" };
    expect(pushed.metadata).toEqual({ ...before.metadata, ...place });
    expect(pushed.tensors).toEqual(before.tensors);
  });

  it("stores other formats as they are, and needs a run's name", async () => {
    const { code, stderr } = await collapsar("push", TORCH, "--to", "store3");
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("expected --run (missing-metadata)") });
    const { stdout } = await collapsar("push", TORCH, "--to", "store3", "--run", "t");
    expect(stdout).toBe(`${fileUrl(folder, "store3/t/mnist.zip.pt")}\n`);
    expect(await readFile(join(folder, "store3/t/mnist.zip.pt"))).toEqual(await readFile(TORCH));
  });

  it("writes what is said of the network into the metadata, and tells it to the evaluation of another format", async () => {
    const said = ["--network", "mean=0.1", "--network", "std=0.3"];
    await collapsar("push", "last.safetensors", "--to", "store5", ...PLACE, ...said);
    const pushed = readSafetensors(await readFile(join(folder, "store5/x/r1/epoch-0004.safetensors")));
    expect(pushed.metadata).toMatchObject({ mean: "0.1", std: "0.3" });
    const args = ["--to", "store5", "--run", "torch", "--dataset", "digits:test", "--evaluate", "--json", ...said];
    const { evaluation } = JSON.parse((await collapsar("push", TORCH, ...args)).stdout);
    expect(evaluation).toMatchObject({ status: "succeeded", protocolParts: { network: { mean: "0.1", std: "0.3" } } });
    const wrong = await collapsar("push", TORCH, "--run", "t", "--to", "store6", "--network", "std=0");
    expect(wrong.stderr).toMatch(/std="0": expected positive numbers \(invalid-metadata\)/);
  });

  it("refuses what is no checkpoint", async () => {
    await writeFile(join(folder, "garbage.pt"), "garbage");
    expect((await collapsar("push", "garbage.pt", "--run", "t")).stderr).toContain("(malformed-checkpoint)");
  });

  it("evaluates it here where there is no service, under the place it was pushed to", async () => {
    const args = ["--to", "store4", ...PLACE, "--dataset", "digits:test", "--evaluate", "--json"];
    const { evaluation } = JSON.parse((await collapsar("push", "last.safetensors", ...args)).stdout);
    expect(evaluation).toMatchObject({ status: "succeeded", run: "r1", epoch: 4 });
    const [run] = JSON.parse((await collapsar("runs", "--json")).stdout);
    expect(run).toMatchObject({ id: "r1", experiment: "x", group: "ce", seed: 3, lastEpoch: 4 });
  });
});
