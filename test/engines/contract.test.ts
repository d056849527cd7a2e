import { describe, expect, it } from "vitest";
import { ENGINE_NAMES } from "../../src/engines/engine.ts";
import { openEngine } from "../../src/engines/open.ts";
import { networkOf } from "../../src/networks/fromCheckpoint.ts";
import { floats, golden, relativeDifference } from "../golden.ts";

const NORMALISATION = {
  "resnet18-cifar": { mean: "0.4914,0.4822,0.4465", std: "0.2023,0.1994,0.201" },
  "resnet18-mnist": { mean: "0.1307", std: "0.3081" },
};

describe.each(ENGINE_NAMES)("engine %s", (name) => {
  describe.each(Object.entries(NORMALISATION))("on %s", (fixture, normalisation) => {
    const io = golden(`${fixture}.io`);
    const input = floats(io, "input");

    it.each([
      ["false", ""],
      ["true", "_l2"],
    ])("gives the features and logits of the reference (l2_norm=%s)", async (l2, suffix) => {
      const engine = await openEngine(name);
      const model = await engine.load(networkOf(golden(fixture), { l2_norm: l2 }).network, "normalised");
      const { features, logits } = await model.run(input, 4);
      await model.dispose();
      expect(relativeDifference(features, floats(io, `features${suffix}`))).toBeLessThan(1e-5);
      expect(relativeDifference(logits, floats(io, `logits${suffix}`))).toBeLessThan(1e-5);
    });

    it("normalises pixels as (pixel/255 − mean)/std, per channel", async () => {
      const engine = await openEngine(name);
      const { network } = networkOf(golden(fixture), normalisation);
      const { channels, height, width } = network.graph;
      const count = 3;
      const pixels = Uint8Array.from({ length: count * height * width * channels }, (_, i) => (i * 7919) % 256);
      const [mean, std] = [normalisation.mean, normalisation.std].map((text) => text.split(",").map(Number));
      const normalised = new Float32Array(pixels.length);
      for (let image = 0; image < count; image++)
        for (let channel = 0; channel < channels; channel++)
          for (let at = 0; at < height * width; at++)
            normalised[(image * channels + channel) * height * width + at] =
              (pixels[(image * height * width + at) * channels + channel]! / 255 - mean![channel]!) / std![channel]!;
      const fromPixels = await engine.load(network, "pixels");
      const fromNormalised = await engine.load(network, "normalised");
      const actual = await fromPixels.run(pixels, count);
      const expected = await fromNormalised.run(normalised, count);
      expect(relativeDifference(actual.features, expected.features)).toBeLessThan(1e-5);
      expect(relativeDifference(actual.logits, expected.logits)).toBeLessThan(1e-5);
      await Promise.all([fromPixels.dispose(), fromNormalised.dispose()]);
    });

    it("gives an image the same numbers in a batch of any size, and new arrays at every call", async () => {
      const engine = await openEngine(name);
      const model = await engine.load(networkOf(golden(fixture)).network, "normalised");
      const whole = await model.run(input, 4);
      const kept = whole.features.slice();
      const perImage = input.length / 4;
      const last = await model.run(input.slice(3 * perImage), 1);
      expect(whole.features).toEqual(kept);
      expect(relativeDifference(last.features, whole.features.slice((3 * kept.length) / 4))).toBeLessThan(1e-5);
      await model.dispose();
    });
  });

  it("refuses pixels where the network does not say how to normalise them", async () => {
    const engine = await openEngine(name);
    const { network } = networkOf(golden("resnet18-mnist"));
    await expect(engine.load(network, "pixels")).rejects.toMatchObject({ code: "missing-metadata" });
  });
});
