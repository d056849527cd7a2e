import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/checkpoints/onnx/schema.ts";
import { toOnnx } from "../../src/engines/onnx/toOnnx.ts";
import { openEngine } from "../../src/engines/open.ts";
import type { GraphNetwork } from "../../src/networks/network.ts";
import { describeNetwork } from "../../src/networks/resnet.ts";
import { initialiseParameters } from "../../src/training/initialise.ts";
import { relativeDifference } from "../golden.ts";

/** A network whose last stage has convolutions that are rewritten: 4×4 maps of 256 channels. */
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

const convolutions = (options: { fast: boolean }) =>
  decodeModel(toOnnx(network, INPUT, options)).graph!.node.filter(({ opType }) => opType === "Conv").length;

describe("Winograd's convolution", () => {
  it("takes the place of the 3×3 convolutions of the smallest maps, where speed is asked for", () => {
    expect(convolutions({ fast: false })).toBe(20);
    expect(convolutions({ fast: true })).toBe(17);
  });

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
