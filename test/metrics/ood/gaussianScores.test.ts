import { describe, expect, it } from "vitest";
import { CollapsarError } from "../../../src/errors.ts";
import { toMatrix } from "../../../src/metrics/matrix.ts";
import { detection, rankScores } from "../../../src/metrics/ood/detection.ts";
import { rowsInMemory } from "../../../src/metrics/rows.ts";
import { goldenJson, setOf } from "../cases.ts";
import { fitAndScore, fitted, goldenSets, OOD_CASES, randomSets, relativeError, type Sets } from "./sets.ts";

/** Of scores, per unit of the largest condition number of a covariance (golden README); of measures, absolute. */
const PER_CONDITION = 1e-13;
const MEASURES = 1e-12;

/** Every block of the golden files for a score, but those whose jitter is made of rounding. */
const BLOCKS = OOD_CASES.flatMap((name) =>
  Object.entries(goldenJson(name).ood as Record<string, GoldenBlock>)
    .filter(([block, { rounding_dependent }]) => /^(gmm|mahalanobis)/.test(block) && !rounding_dependent)
    .map(([block, expected]) => ({ name, block, expected })),
);

interface GoldenBlock {
  readonly jitter: number;
  readonly largest_condition_number: number;
  readonly first_id: number[];
  readonly first_ood: number[];
  readonly rounding_dependent?: boolean;
  readonly [measure: string]: unknown;
}

const scoreOf = (block: string) => block.replace("_fixed_jitter", "") as "gmm" | "mahalanobis";
const jitterOf = ({ jitter }: GoldenBlock) => (jitter === 0 ? undefined : jitter);

describe("golden scores", () => {
  it("are there for both scores, with a given jitter where the covariances are singular", () => {
    // golden's ladder is DDU's, absolute from 2.2e-308 on: its rung on a singular matrix is made of rounding, not to be matched
    expect(BLOCKS.map(({ name, block }) => `${name} ${block}`)).toEqual([
      ...["metrics-imbalanced gmm_fixed_jitter", "metrics-imbalanced mahalanobis"],
      ...["metrics-large-offset gmm", "metrics-large-offset mahalanobis"],
      ...["metrics-many-classes gmm", "metrics-many-classes mahalanobis"],
      ...["metrics-near-collapsed gmm", "metrics-near-collapsed mahalanobis"],
      ...["metrics-not-collapsed gmm_fixed_jitter", "metrics-not-collapsed mahalanobis"],
      ...["metrics-two-classes gmm", "metrics-two-classes mahalanobis"],
    ]);
  });

  it.each(BLOCKS)("$name $block: scores, jitter and detection measures", async ({ name, block, expected }) => {
    const score = scoreOf(block);
    const { jitter, id, ood } = await fitAndScore(score, goldenSets(name), jitterOf(expected));
    expect(jitter).toBe(expected.jitter);
    const tolerance = PER_CONDITION * expected.largest_condition_number;
    expect(relativeError(id, expected.first_id)).toBeLessThan(tolerance);
    expect(relativeError(ood, expected.first_ood)).toBeLessThan(tolerance);
    for (const [measure, value] of Object.entries(detection(rankScores(score, { id, ood }))))
      expect(Math.abs(value - (expected[measure] as number)), measure).toBeLessThan(MEASURES);
  });
});

describe("singular covariances", () => {
  it.each(["metrics-imbalanced", "metrics-not-collapsed"])(
    "%s: AUROC and AUPR near golden's other jitter",
    async (name) => {
      const expected: GoldenBlock = goldenJson(name).ood.gmm;
      expect(expected.rounding_dependent).toBe(true);
      const measures = detection(rankScores("gmm", await fitAndScore("gmm", goldenSets(name))));
      for (const measure of ["auroc", "aupr_ood", "aupr_id"] as const)
        expect(Math.abs(measures[measure] - (expected[measure] as number)), measure).toBeLessThan(0.02);
    },
  );
});

describe("the jitter", () => {
  it("is a power of ten of the mean diagonal where a covariance is singular, the least that is enough", async () => {
    const sets = goldenSets("metrics-not-collapsed"); // 90 samples per class of 512 dimensions
    const { jitter } = await fitted("gmm", sets);
    const rung = jitter! / (await meanDiagonal(sets));
    expect(Math.abs(Math.log10(rung) - Math.round(Math.log10(rung)))).toBeLessThan(1e-9);
    expect(rung).toBeGreaterThan(0.5e-12);
    expect(rung).toBeLessThan(2e-11);
    await expect(fitted("gmm", sets, rung > 2e-12 ? jitter! / 10 : 0)).rejects.toThrow(CollapsarError);
  });

  it("keeps the scores in the scale of the features, which an absolute one does not", async () => {
    const sets = goldenSets("metrics-not-collapsed");
    const scaled = { ...sets, train: await scaledBy(sets.train, 2 ** 10) };
    expect((await fitted("gmm", scaled)).jitter! / (await fitted("gmm", sets)).jitter!).toBe(2 ** 20);
  });

  it("is taken as it is where it is given, also where none is needed", async () => {
    const sets = goldenSets("metrics-two-classes");
    expect((await fitted("gmm", sets, 0.125)).jitter).toBe(0.125);
    expect((await fitted("mahalanobis", sets, 0.25)).jitter).toBe(0.25);
    const [plain, broad] = [await fitAndScore("gmm", sets), await fitAndScore("gmm", sets, 100)];
    expect(relativeError(broad.id, plain.id)).toBeGreaterThan(0.1);
  });
});

describe("a fit that fails", () => {
  it("names the class whose covariance cannot be factored at all", async () => {
    const sets = randomSets(1, { classes: 3, dimensions: 4, perClass: 5 });
    const features = new Float32Array(await sets.train.features.read(0, sets.train.count)).fill(1);
    const equal = { ...sets, train: { ...sets.train, features: rowsInMemory(features, 4) } };
    await expect(fitted("gmm", equal)).rejects.toThrow(/covariance of class 0 cannot be factored with a jitter of 0/);
    await expect(fitted("mahalanobis", equal)).rejects.toMatchObject({ code: "zero-denominator" });
  });

  it("names a class that a given jitter does not let be factored", async () => {
    const sets = goldenSets("metrics-not-collapsed");
    await expect(fitted("gmm", sets, 0)).rejects.toThrow(
      /covariance of class \d cannot be factored with a jitter of 0:/,
    );
  });

  it("names a class with one sample, of which the tied covariance has no need", async () => {
    const features = Float64Array.from([0, 0, 1, 2, 3, 1, 0, 5, 2, 2]);
    const labels = Int32Array.from([0, 0, 0, 1, 0]);
    const train = setOf({ features, logits: new Float64Array(10), labels }, 2, 2);
    const sets = { train, test: train, ood: train, classifier: { weight: features, bias: features } };
    await expect(fitted("gmm", sets)).rejects.toThrow("class 1 has 1 sample: a covariance needs at least 2");
    expect((await fitted("mahalanobis", sets)).jitter).toBe(0);
  });

  it("says how much memory too many covariances need", async () => {
    const [classes, dimensions] = [3, 16_384];
    const features = { count: 6, columns: dimensions, read: async () => new Float32Array(6 * dimensions).fill(1) };
    const logits = rowsInMemory(new Float32Array(6 * classes), classes);
    const train = { features, logits, labels: Int32Array.from([0, 0, 1, 1, 2, 2]), count: 6 };
    const none = new Float32Array();
    const sets: Sets = { train, test: train, ood: train, classifier: { weight: none, bias: none } };
    await expect(fitted("gmm", sets)).rejects.toThrow("covariances of 3 classes of 16384 dimensions need 6.0 GiB");
  });
});

describe("a collapsed network", () => {
  it("keeps the digits of distances that are a millionth of those between classes", async () => {
    const shape = { classes: 4, dimensions: 12, perClass: 100 };
    const wide = randomSets(5, { ...shape, spread: 0.1 }, Float64Array);
    const narrow = await towardsMeans(wide, 2 ** -20);
    for (const score of ["gmm", "mahalanobis"] as const) {
      const [expected, actual] = [await fitAndScore(score, wide), await fitAndScore(score, narrow)];
      // the distances are the same; half the log determinants are less by D·20 log 2
      const shift = score === "gmm" ? 12 * 20 * Math.log(2) : 0;
      expect(
        relativeError(
          actual.id.map((value) => value + shift),
          expected.id,
        ),
      ).toBeLessThan(1e-7);
    }
  });
});

async function meanDiagonal({ train }: Sets): Promise<number> {
  const { columns } = train.features;
  const features = toMatrix(await train.features.read(0, train.count), columns).values;
  const classes = train.logits.columns;
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    const rows = [...train.labels.keys()].filter((i) => train.labels[i] === c);
    for (let d = 0; d < columns; d++) {
      const mean = rows.reduce((total, i) => total + features[i * columns + d]!, 0) / rows.length;
      const squares = rows.reduce((total, i) => total + (features[i * columns + d]! - mean) ** 2, 0);
      sum += squares / (rows.length - 1);
    }
  }
  return sum / classes / columns;
}

async function scaledBy(set: Sets["train"], factor: number): Promise<Sets["train"]> {
  const { columns } = set.features;
  return {
    ...set,
    features: rowsInMemory(
      (await set.features.read(0, set.count)).map((x) => x * factor),
      columns,
    ),
  };
}

/** Draws training and test features towards the class means of the training set, by that factor, which changes no distance. */
async function towardsMeans(sets: Sets, factor: number): Promise<Sets> {
  const { train, test } = sets;
  const { columns } = train.features;
  const features = await train.features.read(0, train.count);
  const means = Array.from({ length: train.logits.columns }, (_, c) => {
    const rows = [...train.labels.keys()].filter((i) => train.labels[i] === c);
    return Float64Array.from({ length: columns }, (_, d) => {
      return rows.reduce((total, i) => total + features[i * columns + d]!, 0) / rows.length;
    });
  });
  const drawn = async ({ features: rows, count, labels }: Sets["train"]) =>
    rowsInMemory(
      Float64Array.from(await rows.read(0, count), (x, k) => {
        const mean = means[labels[Math.floor(k / columns)]!]![k % columns]!;
        return mean + factor * (x - mean);
      }),
      columns,
    );
  return {
    ...sets,
    train: { ...train, features: await drawn(train) },
    test: { ...test, features: await drawn(test) },
  };
}
