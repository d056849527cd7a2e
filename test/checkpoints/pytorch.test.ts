import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Checkpoint, Tensor } from "../../src/checkpoints/checkpoint.ts";
import { isPytorchLegacy, isPytorchZip, readPytorch } from "../../src/checkpoints/pytorch/readPytorch.ts";
import { readSafetensors } from "../../src/checkpoints/safetensors.ts";
import { golden } from "../golden.ts";
import { archive, dict, FOUR, legacy, pickle, tensor, zip } from "./pytorchFile.ts";

/** Files that real PyTorch wrote, by make_checkpoints.py beside them. */
const FILES = new URL("../fixtures/torch/checkpoints/", import.meta.url);

const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FILES)));
const read = (name: string) => readPytorch(file(name));
const expected = (name: string) => readSafetensors(file(`${name}.expected.safetensors`));

/** Bit patterns, so that -0 and 0 differ. */
function bits({ shape, data }: Tensor): unknown {
  return {
    shape: [...shape],
    type: data.constructor.name,
    bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
  };
}

function expectSame(actual: Checkpoint, { tensors }: Checkpoint): void {
  expect([...actual.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
  for (const [name, tensor] of tensors) expect(bits(actual.tensors.get(name)!), name).toEqual(bits(tensor));
}

const four = { dtype: "F32", shape: [4], data: Float32Array.of(1, 2, 3, 4) };

describe("a state_dict saved by PyTorch", () => {
  it.each([
    ["mnist.zip.pt", "resnet18-mnist"],
    ["mnist.legacy.pt", "resnet18-mnist"],
    ["mod-sn.zip.pt", "resnet18-mod-sn"],
  ])("is read bit for bit: %s", (name, reference) => {
    const checkpoint = read(name);
    expectSame(checkpoint, golden(reference));
    expect(checkpoint.metadata).toEqual({});
  });

  it("is found under state_dict, beside epoch, arch and optimizer, its names as they are", () => {
    const { tensors, metadata } = read("mnist.wrapped.pt");
    const plain = [...tensors].map(([name, tensor]) => [name.replace(/^module\./, ""), tensor] as const);
    expect([...tensors.keys()].every((name) => name.startsWith("module."))).toBe(true);
    expectSame({ tensors: new Map(plain), metadata }, golden("resnet18-mnist"));
    expect(metadata).toEqual({ arch: "resnet18", epoch: "7" });
  });

  it.each([
    ["mnist.float16.pt", "F16", 2 ** -11, 2 ** -25],
    ["mnist.bfloat16.pt", "BF16", 2 ** -8, 0],
  ])("is widened from half precision: %s", (name, dtype, relative, absolute) => {
    const { tensors } = read(name);
    for (const [key, { data, shape }] of golden("resnet18-mnist").tensors) {
      const half = tensors.get(key)!;
      expect(half.shape).toEqual(shape);
      if (!(data instanceof Float32Array)) continue;
      expect(half).toMatchObject({ dtype, data: expect.any(Float32Array) });
      const far = data.findIndex(
        (value, i) => !(Math.abs(Number(half.data[i]) - value) <= relative * Math.abs(value) + absolute),
      );
      expect(far, key).toBe(-1);
    }
  });

  it.each(["layouts.zip.pt", "layouts.legacy.pt"])("has every element type and layout: %s", (name) => {
    const checkpoint = read(name);
    expectSame(checkpoint, expected("layouts"));
    const types = ["F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"];
    expect([...checkpoint.tensors.values()].map(({ dtype }) => dtype).slice(0, 10)).toEqual(types);
  });

  const trainings = readdirSync(FILES).filter((name) => /^training.*\.pt$/.test(name));
  it.each(trainings)("is found among all that a training script keeps: %s", (name) => {
    const checkpoint = read(name);
    expectSame(checkpoint, expected("training"));
    expect(checkpoint.metadata).toEqual({
      coeff: "2.5",
      epoch: "12",
      l2_norm: "true",
      loss: "ce",
      mean: "0.5,0.25,0.125",
      seed: "9223372036854775808",
      std: "1,1.5,2",
    });
  });

  it("has been saved in two formats and four protocols", () => {
    expect(trainings).toHaveLength(8);
  });

  it("is not copied where a zip file holds it in order", () => {
    const bytes = file("mnist.zip.pt");
    const copied = [...readPytorch(bytes).tensors.values()].filter(({ data }) => data.buffer !== bytes.buffer);
    expect(copied).toEqual([]);
  });

  it.each([1, 2, 4])("is read from a Buffer that starts at byte %i of another", (start) => {
    const shifted = Buffer.concat([Buffer.alloc(start), file("layouts.zip.pt")]).subarray(start);
    expectSame(readPytorch(shifted), expected("layouts"));
  });

  it("shares one aligned copy of a storage among its tensors", () => {
    const { tensors } = readPytorch(legacy(pickle(dict(["a", tensor()], ["b", tensor()]))));
    expect(tensors.get("a")).toEqual(four);
    expect(tensors.get("b")!.data.buffer).toBe(tensors.get("a")!.data.buffer);
  });

  it("is read from an archive with zip64 sizes and offsets", () => {
    const entries = [
      { name: "a/data.pkl", content: pickle(dict(["w", tensor()])), zip64: true },
      { name: "a/data/0", content: FOUR, zip64: true },
    ];
    expect(readPytorch(zip(entries)).tensors.get("w")).toEqual(four);
  });

  it("may have a tensor of any name", () => {
    const names = ["__proto__", "constructor", "", "ü\0"];
    const { tensors } = readPytorch(archive(pickle(dict(...names.map((name) => [name, tensor()] as const)))));
    expect([...tensors.keys()]).toEqual(names);
  });

  it("may contain itself beside its tensors", () => {
    const cyclic = pickle(
      "}q\0(",
      ...[dict(["w", tensor()])].flatMap((state) => ["X\x05\0\0\0model", state]),
      "X\x04\0\0\0self",
      "h\0",
      "u",
    );
    expect(readPytorch(archive(cyclic)).tensors.get("w")).toEqual(four);
  });
});

describe("the content of a file", () => {
  it("tells zip, legacy and other files apart", () => {
    const kinds = (bytes: Uint8Array) => [isPytorchZip(bytes), isPytorchLegacy(bytes)];
    for (const name of readdirSync(FILES).filter((name) => name.endsWith(".pt")))
      expect(kinds(file(name)), name).toEqual(name.includes("legacy") ? [false, true] : [true, false]);
    const others = [
      file("layouts.expected.safetensors"),
      file("make_checkpoints.py"),
      zip([{ name: "a/weights.npy", content: FOUR }]),
      pickle(dict(["w", tensor()])),
      new Uint8Array(),
      Uint8Array.of(0x80, 2),
    ];
    for (const bytes of others) expect(kinds(bytes)).toEqual([false, false]);
  });
});
