import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { looksLikeLayersModel, openLayersModel } from "../../src/checkpoints/tfjs/readLayersModel.ts";
import { CollapsarError } from "../../src/errors.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { fileOf, LAYERS_MODELS, layersModel } from "../layersModels.ts";

const encode = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const topology = { class_name: "Sequential", config: { layers: [] } };

/** A model of the given manifest groups. */
const modelOf = (...weightsManifest: unknown[]) =>
  encode({ format: "layers-model", modelTopology: topology, weightsManifest });

const float = (name: string, ...shape: number[]) => ({ name, shape, dtype: "float32" });

/** The tensor of one weight whose bytes are given. */
const tensorOf = (weight: object, bytes: ArrayBufferView<ArrayBuffer>) =>
  openLayersModel(modelOf({ paths: ["w"], weights: [{ name: "w", ...weight }] }))
    .read([new Uint8Array(bytes.buffer)])
    .tensors.get("w");

describe("a TensorFlow.js layers model", () => {
  it("is read with the names, types and shapes of its manifest", () => {
    const { tensors, definition } = layersModel("sequential");
    expect(tensors.size).toBe(12);
    expect(tensors.get("stem/kernel")).toMatchObject({ dtype: "F32", shape: [3, 3, 1, 5] });
    expect(tensors.get("dense_Dense1/kernel")!.data).toHaveLength(294 * 12);
    expect(definition).toMatchObject({ format: "tfjs-layers", topology: { class_name: "Sequential" } });
  });

  it("keeps of the user's metadata what describes a run, as strings", () => {
    const metadata = { experiment: "tfjs", seed: "3", epoch: "12", mean: "0.1307", std: "0.3081" };
    expect(layersModel("sequential").metadata).toEqual(metadata);
    expect(layersModel("keras2").metadata).toEqual({ experiment: "keras2", seed: "1", l2_norm: "false" });
    expect(layersModel("residual").metadata).toEqual({});
  });

  it("names its weights files in the order of the manifest, without ./", () => {
    expect(openLayersModel(fileOf("sequential", "model.json")).paths).toEqual(["group1-shard1of1.bin"]);
    const shards = [1, 2].flatMap((group) => [1, 2, 3].map((shard) => `group${group}-shard${shard}of3.bin`));
    expect(openLayersModel(fileOf("residual", "model.json")).paths).toEqual(shards);
  });

  it("is the same wherever its weights are cut into files", () => {
    const json = JSON.parse(new TextDecoder().decode(fileOf("sequential", "model.json")));
    const bytes = fileOf("sequential", "group1-shard1of1.bin");
    const expected = layersModel("sequential").tensors;
    const cuts = fc.array(fc.nat(bytes.length), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, (places) => {
        const ends = [...places.toSorted((a, b) => a - b), bytes.length];
        const shards = ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end));
        json.weightsManifest[0].paths = shards.map((_, i) => `part${i}`);
        expect(openLayersModel(encode(json)).read(shards).tensors).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["float32", {}, Float32Array.of(1.5, -2), "F32", [1.5, -2]],
    ["int32", {}, Int32Array.of(7, -8), "I32", [7, -8]],
    ["uint8", {}, Uint8Array.of(7, 255), "U8", [7, 255]],
    ["bool", {}, Uint8Array.of(0, 1), "BOOL", [0, 1]],
    ["float32", { dtype: "uint8", scale: 0.5, min: -1 }, Uint8Array.of(0, 255), "F32", [-1, 126.5]],
    ["float32", { dtype: "uint16", scale: 0.25, min: 2 }, Uint16Array.of(1, 65535), "F32", [2.25, 16385.75]],
    ["float32", { dtype: "float16" }, Uint16Array.of(0x3e00, 0xc000), "F32", [1.5, -2]],
    ["int32", { dtype: "uint8", scale: 0.4, min: -3 }, Uint8Array.of(1, 10), "I32", [-3, 1]],
  ])("is read where it stores %s as %j", (dtype, quantization, bytes, read, values) => {
    const stored = "dtype" in quantization ? { quantization } : {};
    expect(tensorOf({ dtype, shape: [2], ...stored }, bytes)).toMatchObject({ dtype: read, shape: [2] });
    expect([...tensorOf({ dtype, shape: [2], ...stored }, bytes)!.data]).toEqual(values);
  });

  it.each([
    ['{"format": 1}', true],
    [' \n{ "a": 1}', true],
    ["{}", true],
    ["[]", false],
    ["{\0\0\0\0\0\0\0{", false],
    ['{"\0\0\0\0\0\0{"', false],
    ["", false],
  ])("is told by its content: %j", (text, expected) => {
    expect(looksLikeLayersModel(encode(text))).toBe(expected);
  });
});

describe("a malformed layers model", () => {
  const group = { paths: ["w"], weights: [float("a", 2)] };
  const path = (name: string) => modelOf({ paths: [name], weights: [] });
  const weight = (entry: unknown) => modelOf({ paths: ["w"], weights: [entry] });
  const cases: [string, Uint8Array, RegExp][] = [
    ["no JSON", encode('{"format": '), /not JSON/],
    ["no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff), /not JSON/],
    [
      "another format",
      encode({ format: "saved-model", modelTopology: topology, weightsManifest: [] }),
      /"saved-model"/,
    ],
    ["weights alone", encode({ modelTopology: null, weightsManifest: [] }), /modelTopology/],
    ["no manifest", encode({ modelTopology: topology }), /weightsManifest/],
    ["too long a file", new Uint8Array(8 * 2 ** 20 + 1).fill(0x20), /8388609 bytes of JSON/],
    ["brackets a million deep", encode(`{"a":${"[".repeat(1e6)}${"]".repeat(1e6)}}`), /nested more than 200 deep/],
    ["paths that are numbers", modelOf({ paths: [1], weights: [] }), /the path 1, expected/],
    ["a group that is a number", modelOf(1), /weightsManifest.0 needs paths and weights/],
    ["a path to the parent", path("../secret"), /"\.\.\/secret"/],
    ["a path by way of the parent", path("a/../../secret"), /secret/],
    ["an absolute path", path("/etc/passwd"), /"\/etc\/passwd"/],
    ["a URL", path("https://example.org/w"), /"https:/],
    ["a backslash", path("..\\secret"), /secret/],
    ["a control character", path("a\0b"), /relative to model.json/],
    ["half a surrogate pair", path("\ud800"), /relative to model.json/],
    ["an empty path", path(""), /relative to model.json/],
    ["the folder itself as a path", path("./."), /relative to model.json/],
    ["a file named twice", modelOf({ paths: ["w", "./w"], weights: [] }), /weights file "w" is there twice/],
    ["a tensor named twice", modelOf(group, { ...group, paths: ["v"] }), /weight "a" is there twice/],
    ["a type we do not read", weight({ ...float("a", 1), dtype: "complex64" }), /weight "a": dtype/],
    [
      "a quantised bool",
      weight({ name: "a", shape: [1], dtype: "bool", quantization: { dtype: "float16" } }),
      /quantised/,
    ],
    [
      "a quantisation without its scale",
      weight({ ...float("a", 1), quantization: { dtype: "uint8", min: 0 } }),
      /scale/,
    ],
    [
      "a quantisation we do not know",
      weight({ ...float("a", 1), quantization: { dtype: "uint4" } }),
      /weight "a": quant/,
    ],
    [
      "an infinite scale",
      encode(
        new TextDecoder()
          .decode(weight({ ...float("a", 1), quantization: { dtype: "uint8", min: 0, scale: 7 } }))
          .replace('"scale":7', '"scale":1e999'),
      ),
      /scale/,
    ],
    ["nine dimensions", weight(float("a", 1, 1, 1, 1, 1, 1, 1, 1, 1)), /weight "a": shape/],
    ["a negative length", weight(float("a", -1)), /weight "a": shape/],
    ["half a length", weight(float("a", 1.5)), /weight "a": shape/],
    ["a shape whose product overflows", weight(float("a", ...Array(8).fill(2 ** 31))), /weight "a".*more than/],
    [
      "tensors that take more than 4 GiB",
      modelOf({ paths: ["w"], weights: [float("a", 2 ** 29), float("b", 2 ** 29), float("c", 1)] }),
      /weight "c"/,
    ],
    ["a weight that is no object", weight(7), /a weight without a name/],
    [
      "too many weights",
      modelOf({ paths: [], weights: Array.from({ length: 10_001 }, (_, i) => float(`w${i}`, 1)) }),
      /10001 weights/,
    ],
    [
      "too many files",
      modelOf({ paths: Array.from({ length: 1001 }, (_, i) => `w${i}`), weights: [] }),
      /1001 weights files/,
    ],
  ];

  it.each(cases)("is refused, naming what is wrong: %s", (_, json, message) => {
    expect(() => openLayersModel(json)).toThrow(message);
    expect(() => openLayersModel(json)).toThrow(expect.objectContaining({ code: "malformed-checkpoint" }));
  });

  it.each([
    ["truncated", [new Uint8Array(7)], /weight "a" ends at byte 8 of "w", which has 7/],
    ["too long", [new Uint8Array(9)], /1 bytes of "w" follow the last weight/],
    ["absent", [], /0 weights files, expected 1/],
  ])("is refused where its weights file is %s", (_, shards, message) => {
    const model = openLayersModel(modelOf(group));
    expect(() => model.read(shards)).toThrow(message);
    expect(() => model.read(shards)).toThrow(expect.objectContaining({ code: "malformed-checkpoint" }));
  });

  it("is told from a graph model, which we do not read", () => {
    const json = encode({ format: "graph-model", modelTopology: { node: [] }, weightsManifest: [] });
    expect(() => openLayersModel(json)).toThrow(/layers model.*ONNX/);
    expect(() => openLayersModel(json)).toThrow(expect.objectContaining({ code: "unsupported-network" }));
  });

  it.each(LAYERS_MODELS)("is a network or a typed error whichever bytes of %s change, within two seconds", (name) => {
    const original = fileOf(name, "model.json");
    const shards = openLayersModel(original).paths.map((path) => fileOf(name, path));
    const change = fc.tuple(fc.nat(original.length - 1), fc.constantFrom(...'0919-.,:[]{}"aenu~ \\'));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const json = original.slice();
        for (const [at, character] of changes) json[at] = character.charCodeAt(0);
        const start = performance.now();
        try {
          networkOf(openLayersModel(json).read(shards));
        } catch (error) {
          expect(error).toBeInstanceOf(CollapsarError);
          expect((error as CollapsarError).code).not.toBe("internal");
        }
        expect(performance.now() - start).toBeLessThan(2000);
      }),
      { numRuns: 400 },
    );
  });
});
