import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/checkpoints/checkpoint.ts";
import { readSafetensors, writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { CollapsarError } from "../../src/errors.ts";
import { golden } from "../golden.ts";

/** Bytes of a file with this header (any JSON value) and this many bytes of data. */
function file(header: unknown, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("writing and reading safetensors", () => {
  const tensor = fc.oneof(
    fc
      .array(fc.float(), { maxLength: 20 })
      .map((values) => ({ dtype: "F32" as const, data: Float32Array.from(values) })),
    fc
      .array(fc.double(), { maxLength: 20 })
      .map((values) => ({ dtype: "F64" as const, data: Float64Array.from(values) })),
    fc
      .array(fc.integer(), { maxLength: 20 })
      .map((values) => ({ dtype: "I32" as const, data: Int32Array.from(values) })),
    fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { maxLength: 9 }).map((values) => ({
      dtype: "I64" as const,
      data: BigInt64Array.from(values),
    })),
    fc.uint8Array({ maxLength: 20 }).map((data) => ({ dtype: "U8" as const, data })),
  );
  const names = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => name !== "__metadata__");

  it("gives back every tensor and the metadata, bit for bit", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name }), (entries) => {
        const tensors = entries.map(
          ([name, { dtype, data }]) => [name, { dtype, data, shape: [data.length] } as Tensor] as const,
        );
        const read = readSafetensors(writeSafetensors(tensors, { epoch: "4", run: "π" }));
        expect(read.tensors).toEqual(new Map(tensors));
        expect(read.metadata).toEqual({ epoch: "4", run: "π" });
      }),
    );
  });

  it("reads a checkpoint that another program wrote", () => {
    const { tensors, metadata } = golden("resnet18-cifar");
    expect(metadata).toEqual({ arch: "resnet18", width: "8", classes: "10", variant: "cifar" });
    expect(tensors.get("conv1.weight")).toMatchObject({ dtype: "F32", shape: [8, 3, 3, 3] });
    expect(tensors.get("bn1.num_batches_tracked")?.data).toBeInstanceOf(BigInt64Array);
  });

  it("widens half precision exactly", () => {
    const bytes = file(
      {
        h: { dtype: "F16", shape: [7], data_offsets: [0, 14] },
        b: { dtype: "BF16", shape: [2], data_offsets: [14, 18] },
      },
      18,
    );
    new Uint16Array(bytes.buffer.slice(-18)).fill(0);
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x7c00, 0x3555, 0x3f80, 0xc2f7);
    bytes.set(new Uint8Array(halves.buffer), bytes.length - 18);
    const { tensors } = readSafetensors(bytes);
    expect([...tensors.get("h")!.data]).toEqual([1, -2, 2 ** -24, 65504, -0, Number.POSITIVE_INFINITY, 0.333251953125]);
    expect([...tensors.get("b")!.data]).toEqual([1, -123.5]);
  });
});

describe("a file that is no valid safetensors", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(0), /0 bytes, expected at least 8/],
    ["a header longer than the file", file({}).with(0, 200), /truncated/],
    ["a header of many gigabytes", new Uint8Array(8).fill(255), /header would take/],
    ["a header that is no JSON", file("{nope"), /not JSON/],
    ["a header that is a list", file([]), /not a JSON object/],
    ["metadata that are no strings", file({ __metadata__: { epoch: 4 } }), /__metadata__/],
    ["an unknown type", file({ a: { dtype: "C64", shape: [1], data_offsets: [0, 8] } }, 8), /tensor "a".*"C64"/],
    [
      "a type named like a property of every object",
      file({ a: { dtype: "constructor", shape: [1], data_offsets: [0, 8] } }, 8),
      /unknown type/,
    ],
    [
      "a size that does not fit the shape",
      file({ a: f32(0, 8, [3]) }, 8),
      /tensor "a" \(F32 3\) needs 12 bytes and has 8/,
    ],
    ["a shape whose product overflows", file({ a: f32(0, 8, [2 ** 40, 2 ** 40]) }, 8), /tensor "a"/],
    ["a negative length", file({ a: f32(0, 8, [-2]) }, 8), /tensor "a"/],
    [
      "overlapping tensors",
      file({ a: f32(0, 8), b: f32(4, 12) }, 12),
      /tensor "b" starts at byte 4 of the data, expected 8/,
    ],
    ["a hole", file({ a: f32(0, 8), b: f32(12, 16) }, 16), /expected 8/],
    ["tensors past the end", file({ a: f32(0, 16) }, 8), /truncated: tensor "a" ends at byte 16/],
    ["bytes after the last tensor", file({ a: f32(0, 8) }, 12), /4 bytes follow/],
  ];

  it.each(cases)("is refused with a sentence that says why: %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: "malformed-checkpoint" }));
  });

  it("gives a typed error for any mutation of a real file, and never anything else", () => {
    const whole = writeSafetensors(
      [["fc.weight", { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]],
      { epoch: "1" },
    );
    const mutation = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), length: fc.nat(whole.length) });
    fc.assert(
      fc.property(mutation, ({ at, byte, length }) => {
        try {
          readSafetensors(whole.with(at, byte).subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(CollapsarError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
