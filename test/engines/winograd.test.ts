import ort from "onnxruntime-node";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { decodeModel, encodeModel, type OnnxConstant, type OnnxNode } from "../../src/checkpoints/onnx/schema.ts";
import { toOnnx } from "../../src/engines/onnx/toOnnx.ts";
import { winogradConv } from "../../src/engines/onnx/winograd.ts";
import { openEngine } from "../../src/engines/open.ts";
import type { GraphNetwork } from "../../src/networks/network.ts";
import { describeNetwork } from "../../src/networks/resnet.ts";
import { initialiseParameters } from "../../src/training/initialise.ts";
import { relativeDifference } from "../golden.ts";

/** A network whose last two stages have convolutions that are rewritten: 8×8 maps of 128 channels, 4×4 maps of 256. */
const graph = describeNetwork({
  ...{ arch: "resnet18", stem: "cifar", mod: false, sn: false, coeff: 3, channels: 3, width: 32, classes: 10 },
  ...{ l2Norm: false, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] },
});
const parameters = initialiseParameters(graph, 3);
for (const [name, values] of parameters) if (/bn\d\.bias$/.test(name)) values.set(values.map((_, i) => Math.sin(i)));
const network: GraphNetwork = { kind: "graph", graph, parameters };
const INPUT = { kind: "pixels", height: 32, width: 32 } as const;
const COUNT = 40;
const pixels = Uint8Array.from({ length: COUNT * 3072 }, (_, i) => (i * 7919 + (i >> 5)) % 256);

const convolutions = (fast: boolean, side = 32) =>
  decodeModel(toOnnx(network, { kind: "pixels", height: side, width: side }, { fast })).graph!.node.filter(
    ({ opType }) => opType === "Conv",
  ).length;

const CHANNELS = 128;
function noise(length: number, seed: number): Float32Array {
  const generator = xoroshiro128plus(seed);
  return Float32Array.from({ length }, () => generator.next() / 2 ** 31);
}
const conv = {
  ...({ op: "foldedConv", name: "map", input: "images", stride: 1, padding: 1 } as const),
  shape: [CHANNELS, CHANNELS, 3, 3],
  weight: noise(CHANNELS * CHANNELS * 9, 1),
  bias: noise(CHANNELS, 2),
};

/** Returns a function that computes the one convolution of N maps of that side. */
async function sessionOf(side: number, part: { nodes: readonly OnnxNode[]; constants: readonly OnnxConstant[] }) {
  const value = (name: string) => ({ name, element: "float", dims: ["N", CHANNELS, side, side] }) as const;
  const file = encodeModel({ ...part, inputs: [value("images")], outputs: [value("map")], metadata: {} });
  const session = await ort.InferenceSession.create(file);
  return async (maps: Float32Array) => {
    const dims = [maps.length / (CHANNELS * side * side), CHANNELS, side, side];
    return (await session.run({ images: new ort.Tensor("float32", maps, dims) })).map!.data as Float32Array;
  };
}

function plainConv(): { nodes: readonly OnnxNode[]; constants: readonly OnnxConstant[] } {
  const attributes = { strides: [1, 1], pads: [1, 1, 1, 1] };
  return {
    nodes: [{ opType: "Conv", input: ["images", "w", "b"], output: "map", attributes }],
    constants: [
      { name: "w", dims: conv.shape, values: conv.weight },
      { name: "b", dims: [CHANNELS], values: conv.bias },
    ],
  };
}

describe("Winograd's convolution", () => {
  it("takes the place of the 3×3 convolutions of small maps with many channels, where speed is asked for", () => {
    expect(convolutions(false)).toBe(20);
    expect(convolutions(true)).toBe(14);
  });

  it("is not used in networks of large images, whose batches are small", () => {
    expect(convolutions(true, 64)).toBe(14);
    expect(convolutions(true, 128)).toBe(20);
  });

  it.each([4, 7, 8, 14, 16])(
    "computes the convolution of maps with sides of %i, with the same bits in any batch",
    async (side) => {
      const size = CHANNELS * side * side;
      const maps = noise(5 * size, 3);
      const [fast, plain] = [
        await sessionOf(side, winogradConv(conv, { height: side, width: side })),
        await sessionOf(side, plainConv()),
      ];
      const actual = await fast(maps);
      expect(relativeDifference(actual, await plain(maps))).toBeLessThan(4e-6);
      for (const [start, end] of [
        [0, 1],
        [1, 3],
        [3, 5],
      ] as const)
        expect(await fast(maps.subarray(start * size, end * size))).toEqual(actual.slice(start * size, end * size));
    },
  );

  it("gives the features of another engine that does without", async () => {
    const [fast, plain] = await Promise.all(
      (["onnxruntime", "wasm"] as const).map(async (engine) => (await openEngine({ engine })).load(network, INPUT)),
    );
    const [actual, expected] = [await fast!.run(pixels, COUNT), await plain!.run(pixels, COUNT)];
    expect(relativeDifference(actual.features, expected.features)).toBeLessThan(1e-5);
    expect(relativeDifference(actual.logits, expected.logits)).toBeLessThan(1e-5);
    await Promise.all([fast!.dispose(), plain!.dispose()]);
  });

  it("gives the same bits in a batch of any size, as all of the network does", async () => {
    const model = await (await openEngine({ engine: "onnxruntime" })).load(network, INPUT);
    const whole = await model.run(pixels, COUNT);
    for (const size of [1, 3, 16])
      for (let start = 0; start < COUNT; start += size) {
        const end = Math.min(start + size, COUNT);
        const { features, logits } = await model.run(pixels.subarray(start * 3072, end * 3072), end - start);
        expect(features).toEqual(whole.features.slice(start * 256, end * 256));
        expect(logits).toEqual(whole.logits.slice(start * 10, end * 10));
      }
    await model.dispose();
  });
});
