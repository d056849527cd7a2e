import { describe, expect, it } from "vitest";
import type { CollapseMetrics } from "../../src/metrics/collapse.ts";
import { collapse } from "../../src/metrics/collapse.ts";
import { METRICS } from "../../src/metrics/names.ts";
import { testMetrics } from "../../src/metrics/testMetrics.ts";
import { collapseOf, goldenCase, goldenCases, rowsElsewhere, setOf } from "./cases.ts";

const cases = goldenCases();

/** What float64 leaves of a metric whose true value is 0. */
const ZERO = 1e-12;

function relativeError(actual: number, expected: number): number {
  return Math.abs(expected) < ZERO ? Math.abs(actual) / ZERO : Math.abs(actual / expected - 1);
}

function metricOf(values: CollapseMetrics, name: string): number {
  return (values as Readonly<Record<string, number>>)[name]!;
}

describe.each(cases)("golden case $name", async ({ name, train, weight, classes, dimensions, ...golden }) => {
  const { values } = await collapseOf(train, weight, classes, dimensions);
  const tolerance = name === "metrics-large-offset" ? 1e-8 : 1e-9;

  it.each(Object.entries(golden.expected))("has %s of %d", (metric, expected) => {
    const actual = metricOf(values, metric);
    if (metric.startsWith("nc4")) expect(actual).toBe(expected);
    else if (Math.abs(expected) < ZERO) expect(Math.abs(actual)).toBeLessThan(ZERO);
    else expect(relativeError(actual, expected)).toBeLessThan(tolerance);
  });

  it("has the rank, traces and training accuracy of the reference", () => {
    const { sigma_b_rank, trace_sigma_w, trace_sigma_b, network_error, smallest_kept_eigenvalue_ratio } =
      golden.diagnostics;
    expect(values.sigma_b_rank).toBe(sigma_b_rank);
    expect(relativeError(values.sigma_b_condition, 1 / smallest_kept_eigenvalue_ratio!)).toBeLessThan(tolerance);
    expect(relativeError(values.trace_sigma_w, trace_sigma_w!)).toBeLessThan(tolerance);
    expect(relativeError(values.trace_sigma_b, trace_sigma_b!)).toBeLessThan(tolerance);
    expect(values.train_accuracy).toBeCloseTo(1 - network_error!, 14);
    expect(values.samples).toBe(train.labels.length);
  });

  it("has the same bits when features and logits are not in memory", async () => {
    const elsewhere = {
      ...setOf(train, classes, dimensions),
      features: rowsElsewhere(train.features, dimensions),
      logits: rowsElsewhere(train.logits, classes),
    };
    expect((await collapse(elsewhere, { weight })).values).toEqual(values);
  });
});

describe("the golden cases", () => {
  const tested = cases.flatMap(({ test, ...rest }) => (test ? [{ ...rest, test }] : []));

  it("are there", () => {
    expect(cases.length).toBeGreaterThanOrEqual(7);
    expect(tested.length).toBeGreaterThanOrEqual(6);
  });

  it.each(tested)(
    "have the test accuracy of the reference: $name",
    async ({ train, test, weight, calibration, classes, dimensions }) => {
      const { space } = await collapseOf(train, weight, classes, dimensions);
      const { accuracy } = await testMetrics(setOf(test, classes, dimensions), space);
      expect(accuracy).toBe(calibration!.accuracy);
    },
  );
});

describe("the metrics", async () => {
  const { train, test, weight, classes, dimensions } = goldenCase("metrics-imbalanced");
  const { values, space } = await collapseOf(train, weight, classes, dimensions);

  it("are described, every one of them, in the order shown", async () => {
    const measured = { ...values, ...(await testMetrics(setOf(test!, classes, dimensions), space)) };
    expect(Object.keys(measured).filter((name) => !(name in METRICS))).toEqual([]);
    const order = Object.keys(METRICS).filter((name) => name in values);
    expect(Object.keys(values)).toEqual(order);
  });

  it("call the training set's own nearest class means as NC4 does", async () => {
    const own = await testMetrics(setOf(train, classes, dimensions), space);
    expect(own.ncc_accuracy).toBeCloseTo(1 - values.nc4_error, 14);
    expect(own.accuracy).toBe(values.train_accuracy);
  });
});
