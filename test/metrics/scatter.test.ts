import { describe, expect, it } from "vitest";
import { centredMeans } from "../../src/metrics/classMeans.ts";
import { classSpace } from "../../src/metrics/classSpace.ts";
import { classSumsOf } from "../../src/metrics/lanes/classSums.ts";
import { type LabelledSet, rowsInMemory } from "../../src/metrics/rows.ts";
import { precisionFor, roundingNoise, scatterOf } from "../../src/metrics/scatter.ts";
import { HAS_TILES } from "../../src/metrics/tiles.ts";
import { rowsElsewhere } from "./cases.ts";
import { gaussians } from "./gaussians.ts";

const [classes, dimensions, count] = [64, 64, 50_011];

/** Classes about centres of length 1, each sample off by `noise` and along one common direction by `nuisance`. */
function samples({ noise = 0.05, nuisance = 0, offset = 0 } = {}): LabelledSet {
  const next = gaussians(11);
  const normal = (length: number, scale: number) => Float64Array.from({ length }, () => scale * next());
  const centres = normal(classes * dimensions, 1 / Math.sqrt(dimensions));
  const common = normal(dimensions, 1 / Math.sqrt(dimensions));
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 7) % classes);
  const features = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const along = nuisance * next();
    for (let d = 0; d < dimensions; d++)
      features[i * dimensions + d] =
        offset + centres[labels[i]! * dimensions + d]! + noise * next() + along * common[d]!;
  }
  const logits = rowsInMemory(new Float32Array(count * classes), classes);
  return { features: rowsInMemory(features, dimensions), logits, labels, count };
}

/** What this processor may take instead of float64; products of bytes are exact on those alone that have instructions for them. */
const precisions = HAS_TILES ? (["float32", "bytes"] as const) : (["float32"] as const);

describe.each(precisions)("%s", (precision) => {
  async function both(set: LabelledSet) {
    const means = (await classSumsOf(set)).means();
    const space = await classSpace(means, centredMeans(means));
    return { space, rounded: await scatterOf(set, space, precision), float64: await scatterOf(set, space, "float64") };
  }

  it.each([
    ["", {}],
    [" with a large common offset", { offset: 1000 }],
    [" of hardly collapsed classes", { noise: 1 }],
  ])("gives the scatter of float64 within its noise, and the same nearest means%s", async (_, options) => {
    const { rounded, float64 } = await both(samples(options));
    expect(Math.abs(rounded.whitened / float64.whitened - 1)).toBeLessThan(
      4 * roundingNoise(precision, count, classes - 1),
    );
    expect(rounded.whitened).not.toBe(float64.whitened);
    expect(rounded.nearest).toEqual(float64.nearest);
    expect(rounded.squares).toEqual(float64.squares);
  });

  it("has the same bits wherever the features come from", async () => {
    const set = samples();
    const features = (await set.features.read(0, count)) as Float32Array;
    const { space, rounded } = await both(set);
    const elsewhere = { ...set, features: rowsElsewhere(features, dimensions) };
    expect(await scatterOf(elsewhere, space, precision)).toEqual(rounded);
  });

  it("gives way to float64 where a direction outside of the means is so large that nothing is left of the rest", async () => {
    const { rounded, float64 } = await both(samples({ noise: 1e-4, nuisance: 1e6 }));
    expect(rounded).toEqual(float64);
  });
});

it.each([
  [100_000, 999, 2048, "float32"],
  [1_281_167, 1000, 2048, "float32"],
  [50_000, 99, 512, "float32"],
  [20_000, 99, 2048, "float64"], // would be off by 4e-10
  [10_000, 10, 64, "float64"],
] as const)("of %d samples, %d coordinates and %d dimensions are taken in %s", (samples, rows, columns, precision) => {
  expect(precisionFor(samples, { rows, columns }, false)).toBe(precision);
});

it("bytes take the place of float32 where a processor is made for them and there are many coordinates", () => {
  expect(precisionFor(100_000, { rows: 999, columns: 2048 }, true)).toBe("bytes");
  expect(precisionFor(50_000, { rows: 99, columns: 512 }, true)).toBe("float32");
  expect(precisionFor(10_000, { rows: 10, columns: 64 }, true)).toBe("float64");
  expect(precisionFor(100_000, { rows: 999, columns: 20_000 }, true)).toBe("float32"); // sums of bytes might not fit
});
