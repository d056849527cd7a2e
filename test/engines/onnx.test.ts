import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readOnnx } from "../../src/checkpoints/onnx/readOnnx.ts";
import { encodeModel, MODEL_TYPE, type OnnxConstant, type OnnxNode } from "../../src/checkpoints/onnx/schema.ts";
import { toOnnx } from "../../src/engines/onnx/toOnnx.ts";
import { openEngine } from "../../src/engines/open.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { classifierOf, type GraphNetwork } from "../../src/networks/network.ts";
import { floats, GOLDEN, golden, relativeDifference } from "../golden.ts";
import { ENGINES, NETWORKS } from "./engines.ts";

const FILE = readFileSync(new URL("resnet18-cifar.onnx", GOLDEN));
const CIFAR = { mean: "0.4914,0.4822,0.4465", std: "0.2023,0.1994,0.201" };

interface Tiny {
  readonly nodes: OnnxNode[];
  readonly batch?: number | "N";
  readonly outputs?: string[];
  readonly constants?: OnnxConstant[];
}

/** The smallest network there is: pooled channels and a linear layer, written by hand. */
function tiny({ nodes, batch = "N", outputs = ["z"], constants = [] }: Tiny): Uint8Array {
  return encodeModel({
    nodes: [
      { opType: "GlobalAveragePool", input: ["x"], output: "map" },
      { opType: "Flatten", input: ["map"], output: "h" },
      ...nodes,
    ],
    constants: [
      { name: "wt", dims: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: "w", dims: [2, 3], values: Float32Array.of(1, 3, 5, 2, 4, 6) },
      { name: "b", dims: [2], values: Float32Array.of(0.5, -0.5) },
      { name: "w1", dims: [3, 3, 1, 1], values: new Float32Array(9).fill(0.5) },
      { name: "two", dims: [], values: Float32Array.of(2) },
      ...constants,
    ],
    inputs: [{ name: "x", element: "float", dims: [batch, 3, 4, 4] }],
    outputs: outputs.map((name) => ({ name, element: "float", dims: [batch, name === "features" ? 3 : 2] })),
    metadata: { mean: "0,0,0", std: "1,1,1", run: "by-hand" },
  });
}

const GEMM: OnnxNode = { opType: "Gemm", input: ["h", "w", "b"], output: "z", attributes: { transB: 1 } };
const MATMUL: OnnxNode[] = [
  { opType: "MatMul", input: ["h", "wt"], output: "product" },
  { opType: "Add", input: ["product", "b"], output: "z" },
];

async function runOnnx(file: Uint8Array, images: Float32Array | Uint8Array, count: number, side: number) {
  const { network } = networkOf(readOnnx(file));
  const engine = await openEngine({ engine: "onnxruntime" });
  const kind = images instanceof Uint8Array ? "pixels" : "normalised";
  const model = await engine.load(network, { kind, height: side, width: side });
  try {
    return { network, ...(await model.run(images, count)) };
  } finally {
    await model.dispose();
  }
}

describe("an ONNX file of somebody else", () => {
  it("gives the features and logits of the reference, and its classifier", async () => {
    const io = golden("resnet18-cifar.io");
    const { features, logits, network } = await runOnnx(FILE, floats(io, "input"), 4, 32);
    expect(relativeDifference(features, floats(io, "features"))).toBeLessThan(1e-5);
    expect(relativeDifference(logits, floats(io, "logits"))).toBeLessThan(1e-5);
    const { weight, bias } = classifierOf(network);
    expect(weight).toEqual(floats(golden("resnet18-cifar"), "fc.weight"));
    expect(bias).toEqual(floats(golden("resnet18-cifar"), "fc.bias"));
  });

  it("is given pixels normalised as metadata say", async () => {
    const { network } = networkOf(golden("resnet18-cifar"), CIFAR) as { network: GraphNetwork };
    const pixels = Uint8Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (i * 7919) % 256);
    const engine = await openEngine({ engine: "onnxruntime" });
    const input = { kind: "pixels", height: 32, width: 32 } as const;
    const expected = await (await engine.load(network, input)).run(pixels, 2);
    const foreign = networkOf(readOnnx(FILE), CIFAR).network;
    const model = await engine.load(foreign, input);
    const actual = await model.run(pixels, 2);
    await model.dispose();
    expect(relativeDifference(actual.features, expected.features)).toBeLessThan(1e-5);
    await expect(engine.load(networkOf(readOnnx(FILE)).network, input)).rejects.toMatchObject({
      code: "missing-metadata",
    });
  });

  const images = Float32Array.from({ length: 5 * 3 * 16 }, (_, i) => Math.sin(i));
  const pooled = Array.from({ length: 15 }, (_, i) => images.slice(i * 16, i * 16 + 16).reduce((a, b) => a + b) / 16);

  it.each([
    ["a Gemm", { nodes: [GEMM] }, 1],
    ["a product and a sum", { nodes: MATMUL }, 1],
    [
      "a temperature after it",
      {
        nodes: [
          { ...GEMM, output: "g" },
          { opType: "Div", input: ["g", "two"], output: "logits" },
          { opType: "Identity", input: ["h"], output: "features" },
        ],
        outputs: ["features", "logits"],
      },
      0.5,
    ],
    [
      "a softmax at its end",
      {
        nodes: [
          { ...GEMM, output: "g" },
          { opType: "Softmax", input: ["g"], output: "z" },
        ],
      },
      1,
    ],
    ["a fixed batch of 2", { nodes: [GEMM], batch: 2 as const }, 1],
  ])("is read where its last linear layer is %s", async (_, parts, factor) => {
    const { features, logits, network } = await runOnnx(tiny(parts), images, 5, 4);
    expect(relativeDifference(features, pooled)).toBeLessThan(1e-6);
    const { weight, bias } = classifierOf(network);
    expect([...weight]).toEqual([1, 3, 5, 2, 4, 6].map((value) => value * factor));
    expect([...bias]).toEqual([0.5 * factor, -0.5 * factor]);
    const expected = Array.from({ length: 10 }, (_, i) => {
      const [row, c] = [Math.floor(i / 2), i % 2];
      return [0, 1, 2].reduce((sum, d) => sum + weight[c * 3 + d]! * pooled[row * 3 + d]!, bias[c]!);
    });
    expect(relativeDifference(logits, expected)).toBeLessThan(1e-5);
  });

  it("brings its properties as metadata", () => {
    expect(readOnnx(tiny({ nodes: [GEMM] })).metadata).toEqual({ mean: "0,0,0", std: "1,1,1", run: "by-hand" });
  });

  it.each<[string, OnnxNode[]]>([
    ["has no linear layer", [{ opType: "Relu", input: ["h"], output: "z" }]],
    ["has weights that are computed", [{ opType: "Gemm", input: ["h", "h", "b"], output: "z" }]],
    [
      "is in a circle",
      [
        { opType: "Identity", input: ["z"], output: "y" },
        { opType: "Identity", input: ["y"], output: "z" },
      ],
    ],
  ])("is refused where it %s", (_, nodes) => {
    expect(() => networkOf(readOnnx(tiny({ nodes })))).toThrow(
      expect.objectContaining({ code: "unsupported-network" }),
    );
  });

  it.each<[string, OnnxNode[], RegExp]>([
    [
      "an operator that is none",
      [
        { ...GEMM, output: "g" },
        { opType: "Frobnicate", input: ["g"], output: "z" },
      ],
      /Frobnicate/,
    ],
    [
      "another shape than its weights",
      [
        { opType: "Reshape", input: ["h", "w"], output: "k" },
        { ...GEMM, input: ["k", "w", "b"] },
      ],
      /ONNX Runtime/,
    ],
  ])("that ONNX Runtime cannot run is an error that says why: %s", async (_, nodes, message) => {
    const attempt = runOnnx(tiny({ nodes }), images, 5, 4);
    await expect(attempt).rejects.toMatchObject({
      code: "malformed-checkpoint",
      message: expect.stringMatching(message),
    });
  });

  it("may not take more memory than it is given, nor run without end", async () => {
    const shape = { name: "shape", dims: [1], values: BigInt64Array.of(2n ** 40n) };
    const nodes: OnnxNode[] = [
      { opType: "ConstantOfShape", input: ["shape"], output: "huge" },
      { opType: "ReduceSum", input: ["huge"], output: "sum", attributes: { keepdims: 0 } },
      { ...GEMM, output: "g" },
      { opType: "Add", input: ["g", "sum"], output: "z" },
    ];
    const attempt = runOnnx(tiny({ nodes, constants: [shape] }), images, 5, 4);
    await expect(attempt).rejects.toMatchObject({
      code: "malformed-checkpoint",
      message: expect.stringMatching(/ONNX Runtime/),
    });
    expect(() => networkOf(readOnnx(tiny({ nodes: [{ opType: "Loop", input: ["h"], output: "k" }, GEMM] })))).toThrow(
      /node Loop/,
    );
  });

  it("may not refer to other files, wherever it does so", () => {
    const external = (name: string) => ({
      name,
      dims: [1],
      dataType: 1,
      externalData: [{ key: "location", value: "../../etc/passwd" }],
      dataLocation: 1,
    });
    const places: Record<string, object> = {
      initializer: { initializer: [external("w")] },
      "sparse initializer": { sparseInitializer: [{ values: external("w") }] },
      attribute: { node: [{ opType: "Constant", output: ["c"], attribute: [{ name: "value", t: external("w") }] }] },
      "graph of a node": {
        node: [
          { opType: "If", output: ["c"], attribute: [{ name: "then_branch", g: { initializer: [external("w")] } }] },
        ],
      },
    };
    for (const [place, graph] of Object.entries(places)) {
      const file = MODEL_TYPE.encode({
        irVersion: 8,
        graph: { node: [{ opType: "Relu", input: ["x"], output: ["y"] }], ...graph },
      }).finish();
      expect(() => readOnnx(file), place).toThrow(/"w" lies in another file/);
    }
  });

  it("may not hold more numbers than a network can need, nor hide data in a function's attributes", () => {
    const ints = { name: "axes", ints: Array(300_000).fill(1), type: 7 };
    const crowded = MODEL_TYPE.encode({
      irVersion: 8,
      graph: { node: [{ opType: "Relu", attribute: [ints] }] },
    }).finish();
    expect(() => readOnnx(crowded)).toThrow(/more than 200000 parts/);
    const external = {
      name: "w",
      dims: [1],
      dataType: 1,
      externalData: [{ key: "location", value: "w.bin" }],
      dataLocation: 1,
    };
    const functions = [{ name: "f", attributeProto: [{ name: "value", t: external }] }];
    const hidden = MODEL_TYPE.encode({ irVersion: 8, graph: { node: [{ opType: "Relu" }] }, functions }).finish();
    expect(() => readOnnx(hidden)).toThrow(/"w" lies in another file/);
  });

  it("may not have more parts than a network can need, nor nest without end", () => {
    const many = MODEL_TYPE.encode({ irVersion: 8, graph: { node: Array(200_001).fill({}) } }).finish();
    expect(() => readOnnx(many)).toThrow(/more than 200000 parts/);
    let graph: object = { node: [{ opType: "Relu" }] };
    for (let depth = 0; depth < 8; depth++)
      graph = { node: [{ opType: "If", attribute: [{ name: "then_branch", g: graph }] }] };
    expect(() => readOnnx(MODEL_TYPE.encode({ irVersion: 8, graph }).finish())).toThrow(/nest deeper/);
  });

  it.each(ENGINES.filter((name) => name !== "onnxruntime"))("gives the same on the engine %s", async (name) => {
    const io = golden("resnet18-cifar.io");
    const { network } = networkOf(readOnnx(FILE));
    const model = await (await openEngine({ engine: name })).load(network, {
      kind: "normalised",
      height: 32,
      width: 32,
    });
    const { features, logits } = await model.run(floats(io, "input"), 4);
    await model.dispose();
    expect(relativeDifference(features, floats(io, "features"))).toBeLessThan(1e-5);
    expect(relativeDifference(logits, floats(io, "logits"))).toBeLessThan(1e-5);
  });

  it.each<[string, OnnxNode[], RegExp]>([
    [
      "an operator we do not compute",
      [
        { opType: "Elu", input: ["h"], output: "k" },
        { ...GEMM, input: ["k", "w", "b"] },
      ],
      /onnxruntime only: its operator Elu/,
    ],
    [
      "a convolution of pooled features",
      [
        { opType: "Conv", input: ["map", "w1"], output: "c" },
        { opType: "Flatten", input: ["c"], output: "k" },
        { ...GEMM, input: ["k", "w", "b"] },
      ],
      /operator Conv/,
    ],
    [
      "a sum with a constant",
      [
        { opType: "Add", input: ["h", "two"], output: "k" },
        { ...GEMM, input: ["k", "w", "b"] },
      ],
      /operator Add/,
    ],
  ])("runs on ONNX Runtime only where it has %s", async (_, nodes, message) => {
    const engine = await openEngine({ engine: "wasm" });
    const { network } = networkOf(readOnnx(tiny({ nodes })));
    const attempt = engine.load(network, { kind: "normalised", height: 4, width: 4 });
    await expect(attempt).rejects.toMatchObject({
      code: "unsupported-network",
      message: expect.stringMatching(message),
    });
  });

  it("is computed alike on other engines, operator by operator", async () => {
    const side = 9;
    const images = Float32Array.from({ length: 3 * 3 * side * side }, (_, i) => Math.sin(i * 0.7));
    const weights = (name: string, ...dims: number[]) => ({
      name,
      dims,
      values: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.cos(i * 1.3) / 3),
    });
    const file = encodeModel({
      nodes: [
        {
          opType: "Conv",
          input: ["x", "k"],
          output: "c",
          attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
        },
        {
          opType: "BatchNormalization",
          input: ["c", "scale", "offset", "mean", "variance"],
          output: "n",
          floats: { epsilon: 0.01 },
        },
        { opType: "LeakyRelu", input: ["n"], output: "l", floats: { alpha: 0.2 } },
        {
          opType: "MaxPool",
          input: ["l"],
          output: "m",
          attributes: { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] },
        },
        { opType: "Add", input: ["m", "l"], output: "a" },
        { opType: "AveragePool", input: ["a"], output: "v", attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
        { opType: "Relu", input: ["v"], output: "r" },
        { opType: "GlobalAveragePool", input: ["r"], output: "g" },
        { opType: "Flatten", input: ["g"], output: "h" },
        { opType: "Gemm", input: ["h", "w"], output: "z", attributes: { transB: 1 } },
      ],
      constants: [
        ...[
          weights("k", 4, 3, 3, 3),
          weights("scale", 4),
          weights("offset", 4),
          weights("mean", 4),
          weights("w", 5, 4),
        ],
        { name: "variance", dims: [4], values: Float32Array.of(1, 2, 0.5, 0.1) },
      ],
      inputs: [{ name: "x", element: "float", dims: ["N", 3, "H", "W"] }],
      outputs: [{ name: "z", element: "float", dims: ["N", 5] }],
      metadata: {},
    });
    const expected = await runOnnx(file, images, 3, side);
    const engine = await openEngine({ engine: "wasm" });
    const model = await engine.load(networkOf(readOnnx(file)).network, {
      kind: "normalised",
      height: side,
      width: side,
    });
    const actual = await model.run(images, 3);
    expect(relativeDifference(actual.features, expected.features)).toBeLessThan(1e-5);
    expect(relativeDifference(actual.logits, expected.logits)).toBeLessThan(1e-5);
  });
});

describe("a network written as ONNX", () => {
  it.each(NETWORKS)("is read back with the same outputs and classifier: %s", async (fixture) => {
    const io = golden(`${fixture}.io`);
    const { network, spec } = networkOf(golden(fixture)) as { network: GraphNetwork; spec: { classes: number } };
    const size = network.graph.size ?? { height: null, width: null };
    const file = toOnnx(network, { kind: "normalised", ...size }, { metadata: { run: "r1" } });
    const side = io.tensors.get("input")!.shape[2]!;
    const read = await runOnnx(file, floats(io, "input"), 4, side);
    expect(relativeDifference(read.features, floats(io, "features"))).toBeLessThan(1e-5);
    expect(relativeDifference(read.logits, floats(io, "logits"))).toBeLessThan(1e-5);
    expect(classifierOf(read.network)).toEqual(classifierOf(network));
    expect(read.logits).toHaveLength(4 * spec.classes);
  });

  it("takes pixels that it normalises itself, where asked to", async () => {
    const { network } = networkOf(golden("resnet18-cifar"), CIFAR) as { network: GraphNetwork };
    const pixels = Uint8Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (i * 7919) % 256);
    const engine = await openEngine({ engine: "onnxruntime" });
    const expected = await (await engine.load(network, { kind: "pixels", height: 32, width: 32 })).run(pixels, 2);
    const { features } = await runOnnx(toOnnx(network, { kind: "pixels", height: 32, width: 32 }), pixels, 2, 32);
    expect(features).toEqual(expected.features);
  });
});
