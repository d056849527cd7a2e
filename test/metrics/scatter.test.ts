import { describe, expect, it } from "vitest";
import { centredMeans } from "../../src/metrics/classMeans.ts";
import { classSpace } from "../../src/metrics/classSpace.ts";
import { classSumsOf } from "../../src/metrics/lanes/classSums.ts";
import { type LabelledSet, rowsInMemory } from "../../src/metrics/rows.ts";
import { float32Noise, precisionFor, scatterOf } from "../../src/metrics/scatter.ts";
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

async function both(set: LabelledSet) {
  const means = (await classSumsOf(set)).means();
  const space = await classSpace(means, centredMeans(means));
  return { space, float32: await scatterOf(set, space, "float32"), float64: await scatterOf(set, space, "float64") };
}

describe("float32", () => {
  it.each([
    ["", {}],
    [" with a large common offset", { offset: 1000 }],
    [" of hardly collapsed classes", { noise: 1 }],
  ])("gives the scatter of float64 within its noise, and the same nearest means%s", async (_, options) => {
    const { float32, float64 } = await both(samples(options));
    expect(Math.abs(float32.whitened / float64.whitened - 1)).toBeLessThan(4 * float32Noise(count, classes - 1));
    expect(float32.whitened).not.toBe(float64.whitened);
    expect(float32.nearest).toEqual(float64.nearest);
    expect(float32.squares).toEqual(float64.squares);
  });

  it("has the same bits wherever the features come from", async () => {
    const set = samples();
    const features = (await set.features.read(0, count)) as Float32Array;
    const { space, float32 } = await both(set);
    const elsewhere = { ...set, features: rowsElsewhere(features, dimensions) };
    expect(await scatterOf(elsewhere, space, "float32")).toEqual(float32);
  });

  it("gives way to float64 where a direction outside of the means is so large that nothing is left of the rest", async () => {
    const { float32, float64 } = await both(samples({ noise: 1e-4, nuisance: 1e6 }));
    expect(float32).toEqual(float64);
  });
});

it.each([
  [100_000, 999, 2048, "float32"],
  [1_281_167, 1000, 2048, "float32"],
  [50_000, 99, 512, "float32"],
  [20_000, 99, 2048, "float64"], // would be off by 4e-10
  [10_000, 10, 64, "float64"],
] as const)("of %d samples, %d coordinates and %d dimensions are taken in %s", (samples, rows, columns, precision) => {
  expect(precisionFor(samples, { rows, columns })).toBe(precision);
});
