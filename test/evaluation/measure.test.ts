import { describe, expect, it } from "vitest";
import { type FeatureSets, measure } from "../../src/evaluation/measure.ts";
import { metricOf } from "../../src/metrics/names.ts";
import type { Estimators } from "../../src/metrics/ood/estimators.ts";
import { rowsInMemory } from "../../src/metrics/rows.ts";
import { floats, golden } from "../golden.ts";
import { goldenCases, goldenJson, type Samples, setOf } from "../metrics/cases.ts";

interface GoldenScore {
  readonly jitter?: number;
  readonly largest_condition_number?: number;
  readonly rounding_dependent?: boolean;
  readonly [measure: string]: unknown;
}

const cases = goldenCases().filter(({ test }) => test !== null);

/** Every set of a golden case. */
function setsOf(name: string, train: Samples, test: Samples, classes: number, dimensions: number): FeatureSets {
  const file = golden(name);
  const unlabelled = (prefix: string) => floats(file, `${prefix}logits`);
  const ood = floats(file, "ood_features");
  const validation = unlabelled("val_");
  return {
    train: setOf(train, classes, dimensions),
    test: setOf(test, classes, dimensions),
    validation: {
      logits: rowsInMemory(validation, classes),
      labels: file.tensors.get("val_labels")!.data as Int32Array,
      count: validation.length / classes,
    },
    ood: [
      {
        name: "far",
        group: null,
        set: {
          features: rowsInMemory(ood, dimensions),
          logits: rowsInMemory(unlabelled("ood_"), classes),
          labels: null,
          count: ood.length / dimensions,
        },
      },
    ],
  };
}

const MEASURES = ["auroc", "aupr_ood", "aupr_id", "fpr95", "fpr95_id_positive"];

describe.each(cases)("all measures of $name", async ({ name, train, test, weight, classes, dimensions }) => {
  const { ood, calibration } = goldenJson(name) as {
    ood: Record<string, GoldenScore>;
    calibration: Record<string, Record<string, number>>;
  };
  const sets = setsOf(name, train, test!, classes, dimensions);
  const classifier = { weight, bias: new Float32Array(classes), classes, dimensions };
  const { values, omitted, details } = await measure(sets, classifier);

  // where the covariance is singular, the rung of DDU's absolute ladder, and with it the scores, depends on rounding: those
  // are compared at the fixed jitter of the reference, as its README says
  const exact = Object.entries(ood).filter(([, score]) => !score.rounding_dependent);

  it.each(exact)("has the reference's %s against the OoD set (1e-12)", async (score, expected) => {
    const fixed = score.endsWith("_fixed_jitter");
    const base = score.replace("_fixed_jitter", "");
    const taken = fixed ? (await measure(sets, classifier, { jitter: expected.jitter })).values : values;
    for (const measure of MEASURES)
      expect(Math.abs(taken[`${measure}:far:${base}`]! - (expected[measure] as number)), measure).toBeLessThan(1e-12);
    if (expected.jitter !== undefined) expect(taken[`jitter:${base}`]).toBe(expected.jitter);
  });

  it.each(Object.entries(calibration).filter(([, report]) => typeof report === "object"))(
    "has the reference's calibration %s (1e-9)",
    (when, report) => {
      const at = (metric: string) => values[when === "before" ? metric : `${metric}:${when}`]!;
      for (const metric of ["nll", "ece", "val_nll"])
        expect(Math.abs(at(metric) / report[metric]! - 1), metric).toBeLessThan(1e-9);
      if (when !== "before") expect(Math.abs(at("temperature") / report.temperature! - 1)).toBeLessThan(1e-9);
    },
  );

  it("describes each of them, and leaves none out without a reason", () => {
    expect(Object.keys(values).filter((metric) => metricOf(metric) === null)).toEqual([]);
    for (const reason of Object.values(omitted)) expect(reason.length).toBeGreaterThan(10);
    expect(Object.values(values).every(Number.isFinite)).toBe(true);
    expect(Object.keys(details).sort()).toEqual(["calibration", "collapse", "ood", "ood_estimators"]);
    const { direction, scores, measures } = details.ood_estimators as Estimators;
    expect(direction).toMatch(/higher .* more out-of-distribution/);
    for (const [name] of Object.entries(values).filter(([name]) => name.includes(":ood:"))) {
      const [measure, , score] = name.split(":") as [keyof typeof measures, string, keyof typeof scores];
      expect([measures[measure], scores[score]]).toEqual([expect.any(String), expect.any(String)]);
    }
  });
});

describe("a score that cannot be taken", () => {
  const { name, train, test, weight, classes, dimensions } = cases.find(({ name }) => name === "metrics-two-classes")!;
  const sets = setsOf(name, train, test!, classes, dimensions);
  const classifier = { weight, bias: new Float32Array(classes), classes, dimensions };

  it("is left out with its reason, and the others are kept", async () => {
    // a class of one sample has no covariance
    const keep = [...train.labels.keys()].filter((i) => train.labels[i] === 0 || i === train.labels.indexOf(1));
    const pick = (values: Samples["features"], width: number) =>
      Float32Array.from(keep.flatMap((i) => [...values.subarray(i * width, (i + 1) * width)]));
    const few = {
      features: pick(train.features, dimensions),
      logits: pick(train.logits, classes),
      labels: Int32Array.from(keep, (i) => train.labels[i]!),
    };
    const { values, omitted } = await measure({ ...sets, train: setOf(few, classes, dimensions) }, classifier);
    expect(omitted["auroc:far:gmm"]).toMatch(/class 1 has 1 sample/);
    expect(values["auroc:far:gmm"]).toBeUndefined();
    expect(values["auroc:far:mahalanobis"]).toBeGreaterThan(0);
    expect(values["auroc:far:energy"]).toBeGreaterThan(0);
    expect(values.nc1).toBeGreaterThan(0);
  });

  it("says so where the given jitter is not enough", async () => {
    const flat = Float32Array.from(train.features, (x, k) => (k % dimensions === 0 ? 0 : x)); // one dimension without variance
    const { values, omitted } = await measure(
      { ...sets, train: setOf({ ...train, features: flat }, classes, dimensions) },
      classifier,
      { jitter: 0 },
    );
    expect(omitted["auroc:far:gmm"]).toMatch(/cannot be factored/);
    expect(values["auroc:far:max_softmax"]).toBeGreaterThan(0);
  });

  it("is told for all of them where there is no test set", async () => {
    const { omitted } = await measure({ ...sets, test: null }, classifier);
    expect(omitted["ood:far"]).toMatch(/no test set/);
    expect(omitted.accuracy).toMatch(/no test set/);
  });

  it("does not stop the mean over a group that has it", async () => {
    const [far] = sets.ood;
    const ood = ["a", "b"].map((name) => ({ ...far!, name, group: "near" }));
    const { values } = await measure({ ...sets, ood }, classifier);
    expect(values["auroc:near-ood:energy"]).toBeCloseTo(values["auroc:a:energy"]!, 14);
  });
});
