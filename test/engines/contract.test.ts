import { describe, expect, it } from "vitest";
import type { ImageInput } from "../../src/engines/engine.ts";
import { openEngine } from "../../src/engines/open.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { signatureOf } from "../../src/networks/network.ts";
import { floats, golden, relativeDifference } from "../golden.ts";
import { ENGINES, NETWORKS } from "./engines.ts";

const NORMALISATION: Record<string, Record<string, string>> = {
  "resnet18-cifar": { mean: "0.4914,0.4822,0.4465", std: "0.2023,0.1994,0.201" },
  "resnet18-mnist": { mean: "0.1307", std: "0.3081" },
};

function inputOf(fixture: string): { images: Float32Array; input: ImageInput } {
  const io = golden(`${fixture}.io`);
  const [, , height, width] = io.tensors.get("input")!.shape as [number, number, number, number];
  return { images: floats(io, "input"), input: { kind: "normalised", height, width } };
}

describe.each(ENGINES)("engine %s", (name) => {
  describe.each(NETWORKS)("on %s", (fixture) => {
    const io = golden(`${fixture}.io`);
    const { images, input } = inputOf(fixture);

    it.each([
      ["false", ""],
      ["true", "_l2"],
    ])("gives the features and logits of the reference (l2_norm=%s)", async (l2, suffix) => {
      const engine = await openEngine({ engine: name });
      const model = await engine.load(networkOf(golden(fixture), { l2_norm: l2 }).network, input);
      const { features, logits } = await model.run(images, 4);
      await model.dispose();
      expect(relativeDifference(features, floats(io, `features${suffix}`))).toBeLessThan(1e-5);
      expect(relativeDifference(logits, floats(io, `logits${suffix}`))).toBeLessThan(1e-5);
    });

    it("gives an image the same numbers in a batch of any size, and new arrays at every call", async () => {
      const engine = await openEngine({ engine: name });
      const model = await engine.load(networkOf(golden(fixture)).network, input);
      const whole = await model.run(images, 4);
      const kept = whole.features.slice();
      const perImage = images.length / 4;
      const last = await model.run(images.slice(3 * perImage), 1);
      expect(whole.features).toEqual(kept);
      expect(relativeDifference(last.features, whole.features.slice((3 * kept.length) / 4))).toBeLessThan(1e-5);
      await model.dispose();
    });
  });

  it.each(Object.entries(NORMALISATION))(
    "normalises pixels as (pixel/255 − mean)/std, per channel: %s",
    async (fixture, normalisation) => {
      const engine = await openEngine({ engine: name });
      const { network } = networkOf(golden(fixture), normalisation);
      const { channels, size } = signatureOf(network);
      const { height, width } = size!;
      const count = 3;
      const pixels = Uint8Array.from({ length: count * height * width * channels }, (_, i) => (i * 7919) % 256);
      const [mean, std] = [normalisation.mean, normalisation.std].map((text) => text!.split(",").map(Number));
      const normalised = new Float32Array(pixels.length);
      for (let image = 0; image < count; image++)
        for (let channel = 0; channel < channels; channel++)
          for (let at = 0; at < height * width; at++)
            normalised[(image * channels + channel) * height * width + at] =
              (pixels[(image * height * width + at) * channels + channel]! / 255 - mean![channel]!) / std![channel]!;
      const fromPixels = await engine.load(network, { kind: "pixels", height, width });
      const fromNormalised = await engine.load(network, { kind: "normalised", height, width });
      const actual = await fromPixels.run(pixels, count);
      const expected = await fromNormalised.run(normalised, count);
      expect(relativeDifference(actual.features, expected.features)).toBeLessThan(1e-5);
      expect(relativeDifference(actual.logits, expected.logits)).toBeLessThan(1e-5);
      await Promise.all([fromPixels.dispose(), fromNormalised.dispose()]);
    },
  );

  it("gives the same bits in a batch of any size, where it says so", async () => {
    const engine = await openEngine({ engine: name });
    const { images, input } = inputOf("resnet50-cifar");
    const model = await engine.load(networkOf(golden("resnet50-cifar")).network, input);
    const whole = await model.run(images, 4);
    const single = await model.run(images.slice((3 * images.length) / 4), 1);
    if (engine.batchInvariant) expect(single.logits).toEqual(whole.logits.slice(30));
    expect(relativeDifference(single.logits, whole.logits.slice(30))).toBeLessThan(1e-5);
    await model.dispose();
  });

  it("takes images of any size where the network does", async () => {
    const engine = await openEngine({ engine: name });
    const { network } = networkOf(golden("resnet18-torchvision"));
    for (const side of [33, 97]) {
      const model = await engine.load(network, { kind: "normalised", height: side, width: side + 2 });
      const { features } = await model.run(new Float32Array(2 * 3 * side * (side + 2)).fill(0.5), 2);
      expect(relativeDifference(features.slice(0, 64), features.slice(64))).toBeLessThan(1e-5);
      await model.dispose();
    }
  });

  it.each([
    ["pixels where nothing says how to normalise them", "pixels", 28, "missing-metadata"],
    ["images of another size than the network takes", "normalised", 32, "wrong-shape"],
  ] as const)("refuses %s", async (_, kind, side, code) => {
    const engine = await openEngine({ engine: name });
    const { network } = networkOf(golden("resnet18-mnist"));
    await expect(engine.load(network, { kind, height: side, width: side })).rejects.toMatchObject({ code });
  });
});
