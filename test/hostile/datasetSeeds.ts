import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { decodeCifar } from "../../src/datasets/cifar.ts";
import { decodeIdxPair } from "../../src/datasets/idx.ts";
import { decodeImage, shapeOf } from "../../src/datasets/imageFolder.ts";
import { unpack } from "../../src/datasets/localFiles.ts";
import { decodeNpz } from "../../src/datasets/npz.ts";
import { decodeSvhn } from "../../src/datasets/svhn.ts";
import { readTar } from "../../src/datasets/tar.ts";
import type { Seed } from "./seeds.ts";

const FIXTURES = new URL("../fixtures/datasets/", import.meta.url);

/** The formats of datasets: files that others wrote, and what reads them. */
export const DATASET_SEEDS: Record<string, () => Seed[]> = {
  idx: () => {
    const labels = { bytes: load("mnist/t10k-labels-idx1-ubyte"), source: "labels" };
    return [
      seed("mnist/t10k-images-idx3-ubyte", async (bytes) => decodeIdxPair([{ bytes, source: "images" }, labels])),
      seed("mnist/train-images-idx3-ubyte.gz", (bytes) => unpack(bytes, "images.gz")),
    ];
  },
  cifar: () => {
    const archive = "cifar10/cifar-10-binary.tar.gz";
    const decode = (bytes: Uint8Array) => decodeCifar([{ bytes, source: "batch" }], { labelBytes: 2, classes: 100 });
    return [
      seed("cifar100/train.bin", async (bytes) => decode(bytes)),
      seed(archive, async (bytes) => readTar(bytes, archive), gunzipSync(load(archive))),
    ];
  },
  mat: () =>
    ["svhn/train_32x32.mat", "svhn/test_32x32.mat"].map((path) =>
      seed(path, async (bytes) => decodeSvhn([{ bytes, source: path }])),
    ),
  npz: () =>
    ["dirty-mnist/dirty-mnist-train.npz", "dirty-mnist/dirty-mnist-test.npz", "normalised.npz"].map((path) =>
      seed(path, async (bytes) => decodeNpz(bytes, path)),
    ),
  png: () => {
    const shape = { height: 4, width: 4, channels: 3 };
    return [
      seed("unlabelled/0.png", (bytes) => decodeImage(bytes, shape, "image")),
      seed("animals/ant/1.png", (bytes) => shapeOf(bytes, "first image")),
    ];
  },
};

function load(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, FIXTURES)));
}

function seed(name: string, read: (bytes: Uint8Array) => Promise<unknown>, file = load(name)): Seed {
  return { name, file, read: async (bytes) => void (await read(bytes)) };
}
