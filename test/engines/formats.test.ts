import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readCheckpoint } from "../../src/checkpoints/read.ts";
import { openEngine } from "../../src/engines/open.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { floats, golden, relativeDifference } from "../golden.ts";
import { ENGINES } from "./engines.ts";

const TORCH = new URL("../fixtures/torch/checkpoints/", import.meta.url);

/** Files that real PyTorch saved, the network in each, and how far rounding of its numbers may move features. */
const FILES = [
  ["mnist.zip.pt", "resnet18-mnist", 1e-5],
  ["mnist.legacy.pt", "resnet18-mnist", 1e-5],
  ["mnist.wrapped.pt", "resnet18-mnist", 1e-5],
  ["mod-sn.zip.pt", "resnet18-mod-sn", 1e-5],
  // numbers of 11 and 8 bits: 2^-11 and 2^-8 each, some layers deep
  ["mnist.float16.pt", "resnet18-mnist", 2 ** -9],
  ["mnist.bfloat16.pt", "resnet18-mnist", 2 ** -6],
] as const;

describe.each(ENGINES)("on the engine %s", (name) => {
  it.each(FILES)("%s gives the features and logits of %s within %s", async (file, network, tolerance) => {
    const io = golden(`${network}.io`);
    const [count, , height, width] = io.tensors.get("input")!.shape as [number, number, number, number];
    const checkpoint = readCheckpoint(new Uint8Array(readFileSync(new URL(file, TORCH))));
    const engine = await openEngine({ engine: name });
    const model = await engine.load(networkOf(checkpoint).network, { kind: "normalised", height, width });
    const { features, logits } = await model.run(floats(io, "input"), count);
    await model.dispose();
    expect(relativeDifference(features, floats(io, "features"))).toBeLessThan(tolerance);
    expect(relativeDifference(logits, floats(io, "logits"))).toBeLessThan(tolerance);
  });
});
