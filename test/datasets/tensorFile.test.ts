import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import type { Tensor } from "../../src/checkpoints/checkpoint.ts";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { splitTenth } from "../../src/datasets/subset.ts";
import { openTensorFile } from "../../src/datasets/tensorFile.ts";
import { fileStorage } from "../../src/storage/file.ts";

const storage = fileStorage({ roots: null });
const COUNT = 23;
const pixels: Tensor = { dtype: "U8", shape: [COUNT, 4, 5, 3], data: new Uint8Array(randomBytes(COUNT * 60)) };
const floats: Tensor = { dtype: "F32", shape: [COUNT, 3, 4, 5], data: Float32Array.from(pixels.data as Uint8Array) };
const labels: Tensor = {
  dtype: "I64",
  shape: [COUNT],
  data: BigInt64Array.from({ length: COUNT }, (_, i) => BigInt(i % 2)),
};

let folder: string;
beforeAll(async () => {
  folder = pathToFileURL(await mkdtemp(join(tmpdir(), "collapsar-test-"))).href;
});

async function stored(tensors: Record<string, Tensor>): Promise<string> {
  const url = `${folder}/${randomBytes(6).toString("hex")}.safetensors`;
  await storage.write(url, writeSafetensors(Object.entries(tensors)));
  return url;
}

describe.each([
  ["kept in memory", undefined],
  ["read by ranges", 0],
])("a dataset file that is %s", (_, keptBytes) => {
  const open = async (tensors: Record<string, Tensor>) =>
    openTensorFile("set", await stored(tensors), storage, keptBytes === undefined ? {} : { keptBytes });

  it.each([
    ["pixels", pixels, { kind: "pixels", height: 4, width: 5, channels: 3 }],
    ["normalised images", floats, { kind: "normalised", height: 4, width: 5, channels: 3 }],
  ])("gives its %s in order, by any range, and its labels", async (_, images, shape) => {
    const set = await open({ labels, images });
    expect(set).toMatchObject({ name: "set", length: COUNT, ...shape });
    expect([...set.labels!]).toEqual([...(labels.data as BigInt64Array)].map(Number));
    expect(await set.read(0, COUNT)).toEqual(images.data);
    expect(await set.read(7, 9)).toEqual(images.data.slice(7 * 60, 9 * 60));
  });

  it("has the digest of its content, wherever in the file that lies", async () => {
    const digests = [
      await open({ images: pixels, labels }),
      await open({ labels, images: pixels }),
      await open({ images: pixels }),
      await open({ images: floats, labels }),
    ].map(({ digest }) => digest);
    expect(digests[0]).toBe(digests[1]);
    expect(new Set(digests).size).toBe(3);
    expect(digests[0]).toBe((await openTensorFile("x", await stored({ images: pixels, labels }), storage)).digest);
  });

  it("gives the images of a part in its order", async () => {
    const { rest, validation } = splitTenth(await open({ images: pixels, labels }));
    expect(validation.length).toBe(2);
    const perImage = (index: number) => (pixels.data as Uint8Array).slice(index * 60, index * 60 + 60);
    const kept = [...Array(COUNT).keys()].filter((index) => index !== 18 && index !== 19);
    expect(await validation.read(0, 2)).toEqual(new Uint8Array([...perImage(18), ...perImage(19)]));
    expect(await rest.read(15, 20)).toEqual(
      new Uint8Array(kept.slice(15, 20).flatMap((index) => [...perImage(index)])),
    );
  });

  const infinite = { ...floats, data: (floats.data as Float32Array).with(5 * 60 + 1, Number.POSITIVE_INFINITY) };
  it("names the image that is not finite", async () => {
    const set = await open({ images: infinite });
    expect(await set.read(0, 5)).toHaveLength(300);
    await expect(set.read(4, 9)).rejects.toMatchObject({
      code: "malformed-dataset",
      message: expect.stringMatching(/image 5 holds Infinity/),
    });
  });

  it.each<[string, Record<string, Tensor>, string, RegExp]>([
    ["no images", { labels }, "malformed-dataset", /no tensor "images"/],
    [
      "images of doubles",
      { images: { dtype: "F64", shape: [1, 1, 1, 1], data: new Float64Array(1) } },
      "malformed-dataset",
      /"images" is F64 1×1×1×1, expected/,
    ],
    [
      "images of two dimensions",
      { images: { dtype: "U8", shape: [2, 2], data: new Uint8Array(4) } },
      "malformed-dataset",
      /"images" is U8 2×2/,
    ],
    [
      "no image at all",
      { images: { dtype: "U8", shape: [0, 2, 2, 1], data: new Uint8Array(0) } },
      "malformed-dataset",
      /is empty/,
    ],
    [
      "too few labels",
      { images: pixels, labels: { dtype: "I32", shape: [2], data: new Int32Array(2) } },
      "malformed-dataset",
      /"labels" is I32 2, expected 23 integers/,
    ],
    [
      "labels of floats",
      { images: pixels, labels: { dtype: "F32", shape: [COUNT], data: new Float32Array(COUNT) } },
      "malformed-dataset",
      /expected 23 integers/,
    ],
    [
      "a negative label",
      { images: pixels, labels: { dtype: "I32", shape: [COUNT], data: new Int32Array(COUNT).fill(-3) } },
      "invalid-label",
      /label -3 of image 0/,
    ],
  ])("is refused for %s", async (_, tensors, code, message) => {
    await expect(open(tensors)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
