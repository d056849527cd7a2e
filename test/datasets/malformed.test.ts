import { readFileSync } from "node:fs";
import fc from "fast-check";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { decodeCifar } from "../../src/datasets/cifar.ts";
import { decodeIdxPair } from "../../src/datasets/idx.ts";
import { readMat } from "../../src/datasets/mat.ts";
import { readNpy } from "../../src/datasets/npy.ts";
import { decodeNpz } from "../../src/datasets/npz.ts";
import { decodeSvhn } from "../../src/datasets/svhn.ts";
import { readTar } from "../../src/datasets/tar.ts";
import { CollapsarError } from "../../src/errors.ts";
import { DATASET_SEEDS } from "../hostile/datasetSeeds.ts";

const fixture = (path: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/datasets/${path}`, import.meta.url)));
const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const refused = (message: RegExp, code = "malformed-dataset") =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

/** An NPY file of version 1. */
function npy(header: string, data: Uint8Array): Uint8Array {
  return Uint8Array.from(
    Buffer.concat([ascii(`\x93NUMPY\x01\x00${String.fromCharCode(header.length)}\x00${header}`), data]),
  );
}
const heading = (descr: string, shape: string, order = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`;

/** These end where whole images or files of the archive do, and a PNG may lack what comes after its pixels. */
const MAY_END_EARLY = /^cifar|\.png$/;

describe.each(Object.entries(DATASET_SEEDS))("%s files", (_, seeds) => {
  it("that end early are refused as malformed", async () => {
    for (const { file, name, read } of seeds())
      await fc.assert(
        fc.asyncProperty(fc.nat(file.length - 1), async (length) => {
          const outcome = await read(file.slice(0, length)).catch((error) => error);
          if (outcome === undefined) expect(name).toMatch(MAY_END_EARLY);
          else
            expect(outcome).toSatisfy((error) => error instanceof CollapsarError && error.code === "malformed-dataset");
        }),
      );
  });
});

describe("a MAT-file", () => {
  const file = fixture("svhn/test_32x32.mat");
  const header = (text: string, end = "\0\u0001IM") => Uint8Array.from([...ascii(text.padEnd(124)), ...ascii(end)]);

  it.each([
    [/version 7\.3 \(HDF5\), expected level 5/, header("MATLAB 7.3 MAT-file, Platform: GLNXA64")],
    [/not a MAT-file of level 5 from a little-endian machine/, header("MATLAB 5.0 MAT-file", "\u0001\0MI")],
    [/not a MAT-file of level 5/, ascii("PK")],
    [/truncated: a tag at byte 128/, Uint8Array.from([...header("MATLAB 5.0 MAT-file"), 1, 2])],
  ])("is refused with %s", (message, bytes) => {
    expect(() => readMat(bytes, "x.mat")).toThrow(refused(message));
  });

  it("gives its numeric arrays, and leaves the string alone", () => {
    const arrays = readMat(file, "x.mat");
    expect([...arrays.keys()]).toEqual(["X", "y"]);
    expect(arrays.get("X")!.shape).toEqual([32, 32, 3, 3]);
    expect([...arrays.get("y")!.data]).toEqual([10, 5, 7]);
  });

  it("that is no SVHN is refused by what it lacks", () => {
    const renamed = Uint8Array.from(file);
    // the name X stands alone in its element: type 1, length 1
    const at = Buffer.from(file).indexOf(Buffer.from([1, 0, 1, 0, 0x58]));
    renamed[at + 4] = 0x59;
    expect(() => decodeSvhn([{ bytes: renamed, source: "x.mat" }])).toThrow(refused(/^x\.mat: there is no array "X"/));
  });
});

describe("an NPZ archive", () => {
  const pixels = npy(heading("|u1", "1, 2, 2, 3"), new Uint8Array(12));
  const zip = (entries: Record<string, Uint8Array>) => zipSync(entries);

  it.each<[RegExp, Record<string, Uint8Array>]>([
    [/there is no array "images"/, { "labels.npy": npy(heading("|u1", "1,"), new Uint8Array(1)) }],
    [
      /labels" is U8 2, expected 1 integers/,
      { "images.npy": pixels, "labels.npy": npy(heading("|u1", "2,"), new Uint8Array(2)) },
    ],
    [
      /\(images\): its order is Fortran's/,
      { "images.npy": npy(heading("|u1", "1, 2, 2, 3", "True"), new Uint8Array(12)) },
    ],
    [
      /\(images\): elements of type ">f4", expected one of/,
      { "images.npy": npy(heading(">f4", "1, 2, 2, 3"), new Uint8Array(48)) },
    ],
    [
      /\(images\): 12 bytes of data, expected 24 for 2×2×2×3/,
      { "images.npy": npy(heading("|u1", "2, 2, 2, 3"), new Uint8Array(12)) },
    ],
    [/\(images\): not an NPY array/, { "images.npy": ascii("hello") }],
    [/"images" is F64 1×2×2×3, expected/, { "images.npy": npy(heading("<f8", "1, 2, 2, 3"), new Uint8Array(96)) }],
    [
      /image 0 holds NaN/,
      { "images.npy": npy(heading("<f4", "1, 1, 1, 1"), new Uint8Array(new Float32Array([Number.NaN]).buffer)) },
    ],
  ])("is refused with %s", (message, entries) => {
    expect(() => decodeNpz(zip(entries), "x.npz")).toThrow(refused(message));
  });

  it("whose entry promises more than it can hold is refused before memory is taken", () => {
    const file = zip({ "images.npy": pixels });
    const directory = Buffer.from(file).lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    new DataView(file.buffer, file.byteOffset).setUint32(directory + 24, 0xfffffff0, true);
    expect(() => decodeNpz(file, "x.npz")).toThrow(refused(/"images\.npy" promises 4294967280 bytes from \d+$/));
  });

  it("has labels from 0", () => {
    const labels = npy(heading("|i1", "1,"), Uint8Array.of(0xff));
    expect(() => decodeNpz(zip({ "images.npy": pixels, "labels.npy": labels }), "x.npz")).toThrow(
      refused(/label -1 of image 0/, "invalid-label"),
    );
  });
});

describe("other files", () => {
  it("an NPY array without shape is refused", () => {
    expect(() => readNpy(npy("{'descr': '|u1'}", new Uint8Array()), "x")).toThrow(
      refused(/names no descr, fortran_order and shape/),
    );
  });

  it("CIFAR batches of other classes or of half an image are refused", () => {
    const batch = { bytes: fixture("cifar100/test.bin"), source: "test.bin" };
    expect(() => decodeCifar([batch], { labelBytes: 2, classes: 4 })).toThrow(
      refused(/^test\.bin: label 50 of image 1, expected a class below 4$/, "invalid-label"),
    );
    expect(() => decodeCifar([batch], { labelBytes: 1, classes: 10 })).toThrow(
      refused(/6148 bytes, expected a multiple of 3073/),
    );
  });

  it("IDX labels for other images are refused", () => {
    const [images, labels] = ["images-idx3-ubyte", "labels-idx1-ubyte"].map((end) => fixture(`mnist/t10k-${end}`));
    const more = Uint8Array.from([...labels!, 3]);
    more[7] = 3;
    const pair = [
      { bytes: images!, source: "images" },
      { bytes: more, source: "labels" },
    ];
    expect(() => decodeIdxPair(pair)).toThrow(refused(/^labels: 3 labels for 2 images$/));
  });

  it("a tar archive with a changed header is refused, and one that is cut off", () => {
    const block = new Uint8Array(1024);
    block.set(ascii("file"));
    expect(() => readTar(block, "x.tar")).toThrow(refused(/not a tar archive: the checksum of the header at byte 0/));
  });
});
