import { describe, expect, it } from "vitest";
import { CollapsarError } from "../../src/errors.ts";
import { CollapseState } from "../../src/metrics/collapse.ts";
import type { Matrix } from "../../src/metrics/matrix.ts";
import { toMatrix } from "../../src/metrics/matrix.ts";
import type { Samples } from "../../src/metrics/samples.ts";
import { testMetrics } from "../../src/metrics/testMetrics.ts";
import { goldenJson } from "./cases.ts";

interface BadInput {
  readonly name: string;
  readonly error: string;
  readonly message_must_name: readonly string[];
  readonly applies_to?: string;
  readonly input: {
    readonly features: readonly (readonly (number | string)[])[];
    readonly labels: readonly number[];
    readonly weight: readonly (readonly (number | string)[])[];
    readonly bias: readonly number[];
  };
}

const { cases } = goldenJson("bad-inputs") as { cases: readonly BadInput[] };

const numbers = (rows: BadInput["input"]["features"]) => Float64Array.from(rows.flat(), Number);

/** Returns features, logits (`z = W h + b`, whatever comes of a NaN) and labels of a bad input. */
function samplesOf({ features, labels, weight, bias }: BadInput["input"]) {
  const logits = features.map((row) =>
    weight.map((w, c) => row.reduce<number>((sum, x, d) => sum + Number(x) * Number(w[d]), bias[c]!)),
  );
  return { features: numbers(features), logits: numbers(logits), labels: Int32Array.from(labels) };
}

function errorOf(run: () => unknown): CollapsarError {
  try {
    run();
  } catch (error) {
    if (error instanceof CollapsarError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function measure({ features, logits, labels }: Samples, weight: Float64Array, classes: number) {
  const state = new CollapseState(classes, 2);
  state.update(features, logits, labels);
  return state.finish({ weight });
}

describe("a bad input", () => {
  it.each(cases.filter(({ applies_to = "nc" }) => applies_to === "nc"))("is refused: $name", (bad) => {
    const error = errorOf(() => measure(samplesOf(bad.input), numbers(bad.input.weight), bad.input.weight.length));
    expect(error.code).toBe(bad.error);
    for (const offender of bad.message_must_name) expect(error.message).toContain(offender);
  });

  it.each(cases.filter(({ applies_to }) => applies_to !== undefined && applies_to !== "nc"))(
    "is none for these metrics: $name",
    ({ input }) => {
      const { values } = measure(samplesOf(input), numbers(input.weight), input.weight.length);
      expect(Object.values(values).every(Number.isFinite)).toBe(true);
    },
  );
});

const good = {
  features: Float64Array.of(1, 0, 1.25, 0, 0, 1, 0, 1.5, -1, -1, -1.5, -1),
  logits: Float64Array.of(3, 1, 1, 3, 1, 1, 1, 3, 1, 1, 3, 1, 1, 1, 3, 1, 1, 3),
  labels: Int32Array.of(0, 0, 1, 1, 2, 2),
};
const weight = Float64Array.of(1, 0, 0, 1, -1, -1);

/** Returns `values` with one number replaced. */
function withOne(values: Float64Array, at: number, value: number): Float64Array {
  const changed = values.slice();
  changed[at] = value;
  return changed;
}

describe("a state of the metrics", () => {
  it("counts samples over all updates and shards when it names one", () => {
    const state = new CollapseState(3, 2);
    state.update(good.features, good.logits, good.labels);
    const shard = new CollapseState(3, 2);
    shard.update(good.features, good.logits, good.labels);
    state.merge(shard);
    const error = errorOf(() => state.update(withOne(good.features, 3, Number.NaN), good.logits, good.labels));
    expect(error).toMatchObject({ code: "non-finite-feature", message: expect.stringContaining("sample 13") });
    expect(state.samples).toBe(12);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses logits of %d and names the sample over all shards",
    (bad) => {
      const state = new CollapseState(3, 2);
      state.update(good.features, good.logits, good.labels);
      const shard = new CollapseState(3, 2);
      shard.update(good.features, withOne(good.logits, 7, bad), good.labels);
      shard.update(good.features, withOne(good.logits, 0, bad), good.labels);
      state.merge(shard);
      const error = errorOf(() => state.finish({ weight }));
      expect(error).toMatchObject({ code: "non-finite-logit", message: expect.stringContaining("sample 8 ") });
    },
  );

  it("refuses numbers whose squares would leave float64", () => {
    const error = errorOf(() => measure({ ...good, features: withOne(good.features, 4, 1e300) }, weight, 3));
    expect(error).toMatchObject({ code: "non-finite-feature", message: expect.stringContaining("sample 2") });
  });

  it("refuses logits of another number of classes", () => {
    const state = new CollapseState(3, 2);
    const error = errorOf(() => state.update(good.features, good.logits.subarray(0, 12), good.labels));
    expect(error).toMatchObject({ code: "shape-mismatch", message: expect.stringContaining("logits") });
  });

  it("refuses to merge a state of another shape", () => {
    const error = errorOf(() => new CollapseState(3, 2).merge(new CollapseState(3, 5)));
    expect(error).toMatchObject({ code: "shape-mismatch", message: expect.stringContaining("5") });
  });

  it("sees that means are equal although their rounding differs", () => {
    // in float64 the mean of three 0.1 and that of seven 0.1 are not the same bits when summed plainly
    const labels = Int32Array.from({ length: 12 }, (_, i) => (i < 3 ? 0 : i < 10 ? 1 : 2));
    const features = Float64Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 0.1 : 1e4 + 0.7));
    const error = errorOf(() => measure({ features, logits: new Float64Array(36), labels }, weight, 3));
    expect(error).toMatchObject({ code: "zero-denominator", message: expect.stringContaining("means") });
  });
});

describe("a test set", () => {
  const means: Matrix = toMatrix(weight, 2);

  it.each([
    ["too-few-samples", "0", { features: new Float64Array(0), logits: new Float64Array(0), labels: new Int32Array(0) }],
    ["shape-mismatch", "5", { ...good, labels: good.labels.subarray(0, 5) }],
    ["label-out-of-range", "sample 1", { ...good, labels: Int32Array.of(0, 9, 1, 1, 2, 2) }],
    ["non-finite-feature", "sample 5", { ...good, features: withOne(good.features, 11, Number.NaN) }],
    ["non-finite-logit", "sample 3", { ...good, logits: withOne(good.logits, 9, Number.NaN) }],
  ] as const)("is refused with %s that names %s", (code, offender, samples) => {
    const error = errorOf(() => testMetrics(samples, means));
    expect(error).toMatchObject({ code, message: expect.stringContaining(offender) });
  });
});
