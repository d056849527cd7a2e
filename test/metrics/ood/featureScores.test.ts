import { describe, expect, it } from "vitest";
import type { Reals } from "../../../src/metrics/matrix.ts";
import { type LabelledSet, rowsInMemory } from "../../../src/metrics/rows.ts";
import { rowsElsewhere } from "../cases.ts";
import { FEATURE_SCORES, fitAndScore, fitted, randomSets, relativeError, type Sets, withRows } from "./sets.ts";

/** 1,560 samples: three blocks of rows, the last one short; D is no multiple of a band or a panel. */
const SHAPE = { classes: 6, dimensions: 150, perClass: 260 };
const sets = randomSets(3, SHAPE);

describe.each(FEATURE_SCORES)("%s", (name) => {
  it("has the same bits for rows that are not in memory", async () => {
    const elsewhere = await withRows(sets, async (rows) => {
      return rowsElsewhere(await rows.read(0, rows.count), rows.columns);
    });
    expect(await fitAndScore(name, elsewhere)).toEqual(await fitAndScore(name, sets));
  });

  it("is the same of float64 rows as of the same float32 rows", async () => {
    const double = await withRows(sets, async (rows) => {
      return rowsInMemory(Float64Array.from(await rows.read(0, rows.count)), rows.columns);
    });
    expectSame(await fitAndScore(name, double), await fitAndScore(name, sets), 1e-10);
  });

  it("of a sample does not depend on the others that are scored with it", async () => {
    const scorer = await fitted(name, sets);
    const whole = await scorer.score(sets.train);
    for (const [start, end] of [
      [0, 1],
      [700, 1205],
      [1559, 1560],
    ] as const)
      expect(
        relativeError(await scorer.score(partOf(sets.train, start, end)), whole.subarray(start, end)),
      ).toBeLessThan(1e-12);
  });

  it("does not depend on the order of the training samples", async () => {
    const { train } = sets;
    const order = Array.from({ length: train.count }, (_, i) => (i * 7 + 11) % train.count);
    expectSame(
      await fitAndScore(name, { ...sets, train: await reordered(train, order) }),
      await fitAndScore(name, sets),
      1e-10,
    );
  });

  it("does not depend on the names of the classes", async () => {
    const { train, classifier } = sets;
    const renamed = { ...sets, train: { ...train, labels: train.labels.map((label) => (label + 2) % SHAPE.classes) } };
    expectSame(await fitAndScore(name, { ...renamed, classifier }), await fitAndScore(name, sets), 1e-10);
  });

  it("is higher of OoD than of test samples, in the mean", async () => {
    const { id, ood } = await fitAndScore(name, sets);
    const mean = (values: Float64Array) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(ood)).toBeGreaterThan(mean(id));
  });

  it("of an empty set is empty", async () => {
    expect(await (await fitted(name, sets)).score(partOf(sets.train, 0, 0))).toEqual(new Float64Array());
  });
});

describe("under a common offset of 4,096", () => {
  const shape = { classes: 3, dimensions: 20, perClass: 40 };
  // coordinates on a grid of 2⁻¹⁰ are exact in float32 with and without the offset
  const plain = onGrid(randomSets(8, shape), 0);
  const moved = onGrid(randomSets(8, shape), 4096);

  it.each(["gmm", "mahalanobis", "neco"] as const)("%s is the same: it looks at differences alone", async (name) => {
    expectSame(await fitAndScore(name, await moved), await fitAndScore(name, await plain), 1e-8);
  });

  it("vim is the same where the bias moves the origin along: W takes the offset, and logits stay", async () => {
    const { columns } = (await plain).train.features;
    const { weight, bias } = (await plain).classifier;
    const withOnes = Float64Array.from(weight, (value, k) => (k < columns ? 1 : value));
    const movedBias = Float64Array.from(bias, (value, c) => {
      let sum = 0;
      for (let d = 0; d < columns; d++) sum += withOnes[c * columns + d]!;
      return value - 4096 * sum;
    });
    const expected = await fitAndScore("vim", { ...(await plain), classifier: { weight: withOnes, bias } });
    const actual = await fitAndScore("vim", { ...(await moved), classifier: { weight: withOnes, bias: movedBias } });
    expectSame(actual, expected, 1e-8);
  });
});

describe("a score that cannot be", () => {
  it("knn of fewer training samples than neighbours names both numbers", async () => {
    const few = randomSets(2, { classes: 7, dimensions: 5, perClass: 7 });
    await expect(fitted("knn", few)).rejects.toThrow("the training set has 49 samples, at least 50 were expected");
  });

  it("knn of features that are zero names the sample", async () => {
    const zeroAt = async (set: LabelledSet, i: number) => {
      const features = (await set.features.read(0, set.count)).slice();
      features.fill(0, i * SHAPE.dimensions, (i + 1) * SHAPE.dimensions);
      return { ...set, features: rowsInMemory(features, SHAPE.dimensions) };
    };
    const test = await zeroAt(sets.test, 17);
    await expect(fitAndScore("knn", { ...sets, test })).rejects.toThrow("the features of sample 17 are zero");
    const train = await zeroAt(sets.train, 1_021);
    const scored = fitAndScore("knn", { ...sets, train });
    await expect(scored).rejects.toThrow("the features of training sample 1021 are zero");
  });

  it("vim of training features without a residual says how many dimensions they span", async () => {
    const { train } = sets;
    const features = new Float32Array(train.count * 10);
    const source = await train.features.read(0, train.count);
    // five dimensions of ten hold features, and half of ten are principal
    for (let k = 0; k < features.length; k++)
      features[k] = k % 10 < 5 ? source[Math.floor(k / 10) * 150 + (k % 10)]! : 0;
    const flat = { ...train, features: rowsInMemory(features, 10) };
    const classifier = { weight: sets.classifier.weight.subarray(0, 60), bias: new Float32Array(6) };
    const onSupport = { ...classifier, weight: classifier.weight.map((value, k) => (k % 10 < 5 ? value : 0)) };
    await expect(fitted("vim", { ...sets, train: flat, classifier: onSupport })).rejects.toThrow(
      "span 5 dimensions, all of them principal: more than 5 were expected",
    );
  });

  it("neco of a sample that is the training mean names the sample", async () => {
    const features = Float64Array.from([0, 2, 2, 0, 4, 4, 0, 0, 6, 6, 0, 6]);
    const train = { ...small(features, 2), labels: Int32Array.from([0, 0, 0, 1, 1, 1]) };
    const classifier = { weight: new Float64Array(4), bias: new Float64Array(2) };
    const test = small(Float64Array.from([1, 1, 2, 3]), 2);
    await expect(fitAndScore("neco", { train, test, ood: test, classifier })).rejects.toThrow(
      "the features of sample 1 are the mean of the training features",
    );
  });

  it("of a feature that is NaN is NaN or infinite, which `rankScores` refuses by name", async () => {
    for (const name of FEATURE_SCORES) {
      const features = (await sets.test.features.read(0, sets.test.count)).slice();
      features[3 * SHAPE.dimensions] = Number.NaN;
      const { id } = await fitAndScore(name, {
        ...sets,
        test: { ...sets.test, features: rowsInMemory(features, SHAPE.dimensions) },
      });
      expect(
        [...id.keys()].filter((i) => !Number.isFinite(id[i]!)),
        name,
      ).toEqual([3]);
    }
  });
});

interface Scored {
  readonly id: Float64Array;
  readonly ood: Float64Array;
}

function expectSame(actual: Scored, expected: Scored, tolerance: number): void {
  expect(relativeError(actual.id, expected.id)).toBeLessThan(tolerance);
  expect(relativeError(actual.ood, expected.ood)).toBeLessThan(tolerance);
}

function small(features: Reals, columns: number): LabelledSet {
  const count = features.length / columns;
  const logits = rowsInMemory(new Float64Array(count * 2), 2);
  return { features: rowsInMemory(features, columns), logits, labels: new Int32Array(count), count };
}

function partOf(set: LabelledSet, start: number, end: number): LabelledSet {
  const part = (rows: LabelledSet["features"]) => ({
    ...rows,
    count: end - start,
    read: (from: number, to: number, buffer?: () => Uint8Array) => rows.read(start + from, start + to, buffer),
  });
  return {
    features: part(set.features),
    logits: part(set.logits),
    labels: set.labels.subarray(start, end),
    count: end - start,
  };
}

async function reordered(set: LabelledSet, order: readonly number[]): Promise<LabelledSet> {
  const take = async (rows: LabelledSet["features"]) => {
    const values = await rows.read(0, rows.count);
    const taken = values.slice();
    order.forEach((from, i) => {
      taken.set(values.subarray(from * rows.columns, (from + 1) * rows.columns), i * rows.columns);
    });
    return rowsInMemory(taken, rows.columns);
  };
  const labels = Int32Array.from(order, (from) => set.labels[from]!);
  return { ...set, features: await take(set.features), logits: await take(set.logits), labels };
}

function onGrid(from: Sets, offset: number): Promise<Sets> {
  const grid = async (set: LabelledSet): Promise<LabelledSet> => {
    const values = await set.features.read(0, set.count);
    const moved = Float32Array.from(values, (value) => Math.round(value * 1024) / 1024 + offset);
    return { ...set, features: rowsInMemory(moved, set.features.columns) };
  };
  return Promise.all([grid(from.train), grid(from.test), grid(from.ood)]).then(([train, test, ood]) => ({
    ...from,
    train,
    test,
    ood,
  }));
}
