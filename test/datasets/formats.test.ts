import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openImageFolder } from "../../src/datasets/imageFolder.ts";
import { datasetVersion, openDataset } from "../../src/datasets/open.ts";
import { readTar } from "../../src/datasets/tar.ts";
import { openStorage } from "../../src/storage/open.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/datasets", import.meta.url));
const storage = openStorage({ fileRoots: null });

/** What the program that wrote the files knows of them. */
const expected: Record<string, { shape: number[]; labels: number[] | null; sha256: string }> = JSON.parse(
  await readFile(join(FIXTURES, "expected.json"), "utf8"),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "collapsar-datasets-"));
});
afterAll(() => rm(folder, { recursive: true }));

const open = (reference: string, data = FIXTURES) => openDataset(reference, { data: [data], storage });

async function described(reference: string, data?: string) {
  const set = await open(reference, data);
  const { length, height, width, channels, kind, labels } = set;
  const pixels = await set.read(0, length);
  const shape = kind === "pixels" ? [length, height, width, channels] : [length, channels, height, width];
  return { shape, labels: labels && [...labels], sha256: createHash("sha256").update(pixels).digest("hex") };
}

describe("a dataset known by name", () => {
  const named = ["mnist", "cifar10", "cifar100", "svhn", "dirty-mnist"].flatMap((name) => [name, `${name}:test`]);
  it.each(named)("%s has the images and labels of the files that others wrote", async (name) => {
    expect(await described(name)).toEqual(expected[name]);
  });

  it("is read of unpacked files as of the archive they came in", async () => {
    const archive = gunzipSync(await readFile(join(FIXTURES, "cifar10", "cifar-10-binary.tar.gz")));
    await cp(join(FIXTURES, "cifar100"), join(folder, "cifar10"), { recursive: true });
    for (const [name, bytes] of readTar(archive, "archive"))
      await writeFile(join(folder, "cifar10", name.replace(/.*\//, "")), bytes);
    expect(await described("cifar10", folder)).toEqual(expected.cifar10);
    expect((await open("cifar10", folder)).digest).toBe((await open("cifar10")).digest);
  });

  it.each([
    ["cifar10", /^cifar10 needs cifar-10-binary\.tar\.gz in .*nowhere\/cifar10 or .*: download .* from https:.*kriz/],
    [
      "svhn:test",
      /^svhn needs test_32x32\.mat in .*: download .* from http:.*housenumbers.*`collapsar data add svhn FILES`$/,
    ],
    ["mnist", /^mnist needs train-images-idx3-ubyte\.gz and train-labels-idx1-ubyte\.gz in /],
    ["fashion-sample", /has a test part only/],
  ])("%s that is not there says what to get from where", async (name, message) => {
    const missing = { code: "missing-dataset", message: expect.stringMatching(message) };
    await expect(open(name, "/nowhere")).rejects.toMatchObject(missing);
    await expect(datasetVersion(name, { data: ["/nowhere"], storage })).rejects.toMatchObject(missing);
  });

  it("changes its version with its files", async () => {
    await cp(join(FIXTURES, "svhn"), join(folder, "svhn"), { recursive: true });
    const version = () => datasetVersion("svhn", { data: [folder], storage });
    const before = await version();
    expect(await version()).toBe(before);
    await cp(join(FIXTURES, "svhn", "test_32x32.mat"), join(folder, "svhn", "train_32x32.mat"));
    expect(await version()).not.toBe(before);
  });
});

describe("a file of images", () => {
  it.each([
    ["dirty-mnist/dirty-mnist-train.npz", "dirty-mnist", "dirty-mnist-train"],
    ["normalised.npz", "normalised", "normalised"],
    ["mnist/train-images-idx3-ubyte.gz", "mnist", "train"],
    ["mnist/t10k-images-idx3-ubyte", "mnist:test", "t10k"],
    ["animals/", "animals", "animals"],
    ["unlabelled/", "unlabelled", "unlabelled"],
  ])("%s has the images and labels that others wrote, and a name", async (path, key, name) => {
    expect(await described(join(FIXTURES, path))).toEqual(expected[key]);
    expect((await open(join(FIXTURES, path))).name).toBe(name);
  });

  it("is the same set in a folder of images that is decoded batch by batch", async () => {
    const url = new URL("../fixtures/datasets/animals/", import.meta.url).href;
    const kept = await openImageFolder("animals", url, storage);
    const ranged = await openImageFolder("animals", url, storage, { keptBytes: 0 });
    expect(ranged.digest).toBe(kept.digest);
    expect(await ranged.read(1, 3)).toEqual(await kept.read(1, 3));
  });

  it("may be a JPEG, whose pixels are near those it was made of", async () => {
    const pixels = Buffer.alloc(16 * 16 * 3, 120);
    const jpeg = await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } })
      .jpeg()
      .toBuffer();
    await mkdir(join(folder, "photos"));
    await writeFile(join(folder, "photos", "grey.jpg"), jpeg);
    const set = await open(`${join(folder, "photos")}/`);
    expect(set).toMatchObject({ length: 1, height: 16, width: 16, channels: 3, labels: null });
    for (const pixel of await set.read(0, 1)) expect(Math.abs(pixel - 120)).toBeLessThanOrEqual(1);
  });

  it("in a folder is named where its size is not that of the first, or it has no class", async () => {
    await cp(join(FIXTURES, "animals"), join(folder, "mixed"), { recursive: true });
    await cp(join(FIXTURES, "unlabelled", "0.png"), join(folder, "mixed", "ant", "2.png"));
    await expect(open(`${join(folder, "mixed")}/`)).rejects.toMatchObject({
      code: "malformed-dataset",
      message: expect.stringMatching(/ant\/2\.png: 4×4 pixels, expected 6×5 as the first image has$/),
    });
    await cp(join(FIXTURES, "unlabelled", "0.png"), join(folder, "mixed", "lone.png"));
    await expect(open(`${join(folder, "mixed")}/`)).rejects.toMatchObject({
      code: "malformed-dataset",
      message: expect.stringMatching(/mixed\/: image lone\.png is in no folder of a class, as others are$/),
    });
  });

  it("in a folder whose slash was left out is told of that", async () => {
    const hint = {
      code: "object-not-found",
      message: expect.stringMatching(/\(a folder of images is written with a slash at its end\)$/),
    };
    await expect(open(join(FIXTURES, "animals"))).rejects.toMatchObject(hint);
    await expect(datasetVersion(join(FIXTURES, "animals"), { data: [], storage })).rejects.toMatchObject(hint);
    await expect(open(join(FIXTURES, "animals.npz"))).rejects.not.toMatchObject(hint);
  });

  it("changes the version of its folder", async () => {
    const version = () => datasetVersion(`${join(folder, "versions")}/`, { data: [], storage });
    await cp(join(FIXTURES, "animals"), join(folder, "versions"), { recursive: true });
    const before = await version();
    expect(await version()).toBe(before);
    await rm(join(folder, "versions", "ant", "1.png"));
    expect(await version()).not.toBe(before);
  });

  it("is not a folder without images", async () => {
    await expect(open(`${join(folder, "nothing")}/`)).rejects.toMatchObject({
      code: "malformed-dataset",
      message: expect.stringMatching(/nothing\/: the folder holds no image \(png, /),
    });
  });
});
