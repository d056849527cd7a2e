import { describe, expect, it } from "vitest";
import { CollapsarError } from "../../src/errors.ts";
import type { NcLossTerm } from "../../src/training/losses/ncLoss.ts";
import { centreBatch, gradientsOf, ncLoss, ncLossParts } from "../../src/training/losses/ncLoss.ts";
import { floats, golden, relativeDifference } from "../golden.ts";
import { collapseOf, goldenCase, goldenJson, namesOf } from "../metrics/cases.ts";
import { gaussians } from "../metrics/gaussians.ts";

interface Case {
  readonly features: Float32Array | Float64Array;
  readonly labels: Int32Array;
  readonly weight: Float32Array | Float64Array;
  readonly classes: number;
}

const lossOf = ({ features, labels, weight, classes }: Case) => ncLoss(features, labels, weight, classes);

/** Returns max|v|. */
function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

describe("the golden cases of the NC loss", () => {
  it("are there", () => {
    expect(namesOf("ncloss").length).toBeGreaterThanOrEqual(3);
  });
});

describe.each(namesOf("ncloss"))("%s", (name) => {
  const {
    loss,
    terms,
    C: classes,
  } = goldenJson(name) as {
    loss: number;
    terms: Record<NcLossTerm, number>;
    C: number;
  };
  const file = golden(name);
  const labels = file.tensors.get("labels")!.data as Int32Array;
  const batch = { features: floats(file, "features"), labels, weight: floats(file, "weight"), classes };
  const actual = lossOf(batch);

  it("has the value of the reference, as a whole and term by term", () => {
    expect(relativeDifference([actual.value], [loss])).toBeLessThan(1e-9);
    expect(Object.keys(actual.terms).sort()).toEqual(Object.keys(terms).sort());
    for (const [term, value] of Object.entries(terms))
      expect(relativeDifference([actual.terms[term as NcLossTerm]], [value]), term).toBeLessThan(1e-9);
  });

  it("has the gradients of the reference", () => {
    expect(relativeDifference(actual.gradFeatures, floats(file, "grad_features"))).toBeLessThan(1e-8);
    expect(relativeDifference(actual.gradWeight, floats(file, "grad_weight"))).toBeLessThan(1e-8);
  });

  it.each(Object.keys(terms) as NcLossTerm[])("has the gradients of %s", (term) => {
    const centred = centreBatch(batch.features, labels, batch.weight, classes);
    const { gradFeatures, gradWeight } = gradientsOf([ncLossParts(centred)[term]], centred);
    for (const [gradient, key] of [
      [gradFeatures, `grad_features.${term}`],
      [gradWeight, `grad_weight.${term}`],
    ] as const)
      if (file.tensors.has(key)) expect(relativeDifference(gradient, floats(file, key)), key).toBeLessThan(1e-8);
      else expect(largest(gradient), key).toBe(0);
  });
});

/** Returns a batch of Gaussian classes; labels as given. */
function randomCase(seed: number, labels: readonly number[], classes: number, dimensions: number): Case {
  const next = gaussians(seed);
  const centres = Float64Array.from({ length: classes * dimensions }, next);
  const features = Float64Array.from(
    { length: labels.length * dimensions },
    (_, k) => centres[labels[Math.floor(k / dimensions)]! * dimensions + (k % dimensions)]! + 0.4 * next() + 0.5,
  );
  return {
    features,
    labels: Int32Array.from(labels),
    weight: centres.map((x) => x + 0.5 * next()),
    classes,
  };
}

/** Returns the gradient of the loss with respect to one of its inputs by 5-point central differences. */
function differences(batch: Case, input: "features" | "weight"): Float64Array {
  const step = 1e-3;
  return Float64Array.from(batch[input], (_, k) => {
    const at = (steps: number) => {
      const moved = batch[input].slice();
      moved[k]! += steps * step;
      return lossOf({ ...batch, [input]: moved }).value;
    };
    return (at(-2) - 8 * at(-1) + 8 * at(1) - at(2)) / (12 * step);
  });
}

describe("the gradient of the NC loss", () => {
  it.each([
    ["all classes", randomCase(1, [0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 1], 4, 6)],
    ["absent classes and single samples", randomCase(2, [5, 1, 1, 4, 5, 5, 2], 7, 9)],
    ["more classes than dimensions", randomCase(3, [0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0], 6, 3)],
    ["two classes", randomCase(4, [0, 2, 2, 0, 0, 2], 3, 5)],
  ])("is that of finite differences: %s", (_, batch) => {
    const { gradFeatures, gradWeight } = lossOf(batch);
    expect(relativeDifference(gradFeatures, differences(batch, "features"))).toBeLessThan(1e-7);
    expect(relativeDifference(gradWeight, differences(batch, "weight"))).toBeLessThan(1e-7);
  });

  it("is zero where a network has collapsed: every term is at its kink or its minimum", () => {
    const { train, weight, classes } = goldenCase("metrics-exact-etf");
    const { value, gradFeatures, gradWeight } = lossOf({ ...train, weight, classes });
    expect(value).toBeLessThan(1e-12);
    expect(largest(gradFeatures)).toBeLessThan(1e-14);
    expect(largest(gradWeight)).toBeLessThan(1e-14);
  });

  it("has exactly nothing of the two means terms when two classes are present", () => {
    const { features, labels, weight, classes } = randomCase(5, [2, 0, 2, 0, 0], 3, 4);
    const batch = centreBatch(
      features.map((x) => x + 1e4),
      labels,
      weight,
      classes,
    );
    const parts = ncLossParts(batch);
    const means = [parts.nc2_equinorm_means, parts.nc2_equiangular_means];
    expect(means.map(({ value }) => value)).toEqual([0, 0]);
    expect(largest(gradientsOf(means, batch).gradFeatures)).toBe(0);
  });
});

describe("the NC loss", () => {
  it("is the sum of the metrics when the batch is the whole training set", async () => {
    for (const name of ["metrics-imbalanced", "metrics-many-classes"]) {
      const { train, weight, classes, dimensions } = goldenCase(name);
      const { values } = await collapseOf(train, weight, classes, dimensions);
      // the two sum in different orders, so they may differ in the last bits
      for (const [term, value] of Object.entries(lossOf({ ...train, weight, classes }).terms))
        expect(Math.abs(value / values[term as NcLossTerm] - 1), term).toBeLessThan(1e-12);
    }
  });

  const good = randomCase(6, [0, 1, 2, 2, 1, 0], 3, 4);
  const withOne = (values: Case["features"], at: number, value: number) => values.map((x, k) => (k === at ? value : x));

  it.each([
    ["too-few-classes", "1", { ...good, labels: Int32Array.of(1, 1, 1, 1, 1, 1) }],
    ["label-out-of-range", "sample 2", { ...good, labels: Int32Array.of(0, 1, 3, 2, 1, 0) }],
    ["shape-mismatch", "5", { ...good, labels: good.labels.subarray(1) }],
    ["non-finite-feature", "sample 1", { ...good, features: withOne(good.features, 5, Number.NaN) }],
    ["non-finite-weight", "class 2", { ...good, weight: withOne(good.weight, 8, Number.POSITIVE_INFINITY) }],
    ["zero-denominator", "weight", { ...good, weight: good.weight.map((x, k) => (k < 4 ? 0 : x)) }],
    ["zero-denominator", "means", { ...good, features: good.features.map(() => 0.1) }],
    [
      "zero-denominator",
      "class 4",
      {
        features: Float64Array.of(1, 0, -1),
        labels: Int32Array.of(1, 4, 5),
        weight: Float64Array.of(1, 2, 3, 4, 5, 6),
        classes: 6,
      },
    ],
  ] as const)("refuses with %s and names %s", (code, offender, batch) => {
    const refuse = () => lossOf(batch);
    expect(refuse).toThrow(CollapsarError);
    expect(refuse).toThrow(expect.objectContaining({ code, message: expect.stringContaining(offender) }));
  });
});
