import { describe, expect, it } from "vitest";
import { collapse } from "../../src/metrics/collapse.ts";
import { blockRows, blocksOf, rowsInMemory } from "../../src/metrics/rows.ts";
import { collapseOf, rowsElsewhere, type Samples, setOf } from "./cases.ts";
import { gaussians } from "./gaussians.ts";

const [classes, dimensions] = [40, 300];

/** Samples of several blocks, the last of them not full. */
function manySamples(): Samples & { weight: Float32Array } {
  const next = gaussians(7);
  const count = 3 * blockRows(dimensions) + 11;
  const normal = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * next());
  const centres = normal(classes * dimensions);
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 7) % classes);
  const features = normal(count * dimensions, 8).map(
    (x, k) => x + centres[labels[Math.floor(k / dimensions)]! * dimensions + (k % dimensions)]!,
  );
  return { features, labels, logits: normal(count * classes), weight: normal(classes * dimensions) };
}

/** NC1 and NC4 by their definitions, sample by sample. */
function byDefinition({ features, labels }: Samples) {
  const means = new Float64Array(classes * dimensions);
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label]!++;
  features.forEach((x, k) => {
    const at = labels[Math.floor(k / dimensions)]! * dimensions + (k % dimensions);
    means[at]! += x / counts[labels[Math.floor(k / dimensions)]!]!;
  });
  let [wrong, scatter] = [0, 0];
  labels.forEach((label, i) => {
    const distances = Array.from({ length: classes }, (_, c) => {
      let sum = 0;
      for (let d = 0; d < dimensions; d++) sum += (features[i * dimensions + d]! - means[c * dimensions + d]!) ** 2;
      return sum;
    });
    scatter += distances[label]!;
    if (distances.indexOf(Math.min(...distances)) !== label) wrong++;
  });
  return { nc4_error: wrong / labels.length, trace_sigma_w: scatter / labels.length };
}

describe("a set of several blocks", async () => {
  const { weight, ...samples } = manySamples();
  const { values } = await collapseOf(samples, weight, classes, dimensions);

  it("has the nearest means and the scatter of the definitions", () => {
    const expected = byDefinition(samples);
    expect(values.nc4_error).toBe(expected.nc4_error);
    expect(values.nc4_error).toBeGreaterThan(0);
    expect(Math.abs(values.trace_sigma_w / expected.trace_sigma_w - 1)).toBeLessThan(1e-12);
  });

  it("has the same bits from memory, from elsewhere and as float64", async () => {
    const elsewhere = {
      ...setOf(samples, classes, dimensions),
      features: rowsElsewhere(samples.features, dimensions),
      logits: rowsElsewhere(samples.logits, classes),
    };
    expect((await collapse(elsewhere, { weight })).values).toEqual(values);
    const wide = await collapseOf(
      { ...samples, features: Float64Array.from(samples.features) },
      weight,
      classes,
      dimensions,
    );
    for (const [name, value] of Object.entries(wide.values))
      expect(Math.abs(value - values[name as keyof typeof values]), name).toBeLessThanOrEqual(1e-12 * Math.abs(value));
  });

  it("comes whole and in order", async () => {
    const seen: number[] = [];
    for await (const { start, end, values } of blocksOf(rowsInMemory(samples.features, dimensions))) {
      expect(values.length).toBe((end - start) * dimensions);
      seen.push(start, end);
    }
    const size = blockRows(dimensions);
    expect(seen).toEqual([0, size, size, 2 * size, 2 * size, 3 * size, 3 * size, 3 * size + 11]);
  });
});
