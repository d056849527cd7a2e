import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../bin/collapsar.js", import.meta.url));
const FIXTURES = fileURLToPath(new URL("../fixtures/datasets", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-data-"));
});
afterAll(() => rm(folder, { recursive: true }));

function data(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, COLLAPSAR_DATA: join(folder, "data") };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, "data", ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe("collapsar data", () => {
  it("adds files, tells their digests and what they hold, and lists them from then on", async () => {
    const files = ["train", "test"].map((part) => join(FIXTURES, "cifar100", `${part}.bin`));
    const before = await data("list");
    expect(before.stdout).toMatch(/^cifar100 +– +– +download .* from https:\/\/www\.cs\.toronto\.edu/m);
    const { code, stdout } = await data("add", "cifar100", ...files);
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(/^train\.bin: MD5 [0-9a-f]{32}; no published digest of this file is known/),
      expect.stringMatching(/^test\.bin: MD5 [0-9a-f]{32}; no published digest of this file is known/),
      "cifar100:train: 4 images of 32×32×3",
      "cifar100:test: 2 images of 32×32×3",
      `in ${join(folder, "data", "cifar100")}`,
      "",
    ]);
    expect(code).toBe(0);
    const listed = JSON.parse((await data("list", "--json")).stdout);
    expect(listed.find(({ name }: { name: string }) => name === "cifar100")).toMatchObject({
      train: join(folder, "data", "cifar100"),
      test: join(folder, "data", "cifar100"),
    });
  });

  it.each([
    [
      "whose digest is not the published one",
      "svhn",
      "svhn/train_32x32.mat",
      /train_32x32\.mat: its MD5 is \w+, expected e26dedcc\w+: it was not downloaded whole, .*\(malformed-dataset\)\n$/,
    ],
    [
      "of another dataset",
      "cifar10",
      "svhn/train_32x32.mat",
      /no file of cifar10, expected cifar-10-binary\.tar\.gz, .*\(invalid-request\)\n$/,
    ],
    [
      "that is not there",
      "cifar100",
      "nowhere/train.bin",
      /there is no file .*nowhere\/train\.bin \(missing-dataset\)\n$/,
    ],
  ])("refuses a file %s and copies nothing", async (_, name, file, message) => {
    const { code, stdout, stderr } = await data("add", name, join(FIXTURES, file));
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([1, ""]);
    const listed = JSON.parse((await data("list", "--json")).stdout);
    expect(listed.find((entry: { name: string }) => entry.name === "svhn")).toMatchObject({ train: null });
  });

  it("names the datasets there are, where it is asked for another", async () => {
    const { code, stderr } = await data("add", "dogs", "x.bin");
    expect(stderr).toMatch(
      /Allowed choices are mnist, fashion-mnist, fashion-sample, cifar10, cifar100, svhn, dirty-mnist/,
    );
    expect(code).toBe(2);
  });
});
