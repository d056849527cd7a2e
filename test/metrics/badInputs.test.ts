import { describe, expect, it } from "vitest";
import { CollapsarError } from "../../src/errors.ts";
import { testMetrics } from "../../src/metrics/testMetrics.ts";
import { collapseOf, goldenJson, type Samples, setOf } from "./cases.ts";

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

async function errorOf(run: () => Promise<unknown>): Promise<CollapsarError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof CollapsarError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const measure = (samples: Samples, weight: Float64Array, classes: number) => collapseOf(samples, weight, classes, 2);

describe("a bad input", () => {
  it.each(cases.filter(({ applies_to = "nc" }) => applies_to === "nc"))("is refused: $name", async (bad) => {
    const error = await errorOf(() =>
      measure(samplesOf(bad.input), numbers(bad.input.weight), bad.input.weight.length),
    );
    expect(error.code).toBe(bad.error);
    for (const offender of bad.message_must_name) expect(error.message).toContain(offender);
  });

  it.each(cases.filter(({ applies_to }) => applies_to !== undefined && applies_to !== "nc"))(
    "is none for these metrics: $name",
    async ({ input }) => {
      const { values } = await measure(samplesOf(input), numbers(input.weight), input.weight.length);
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

describe("the samples of a training set", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "are named where a feature is %d, in float32 and float64",
    async (bad) => {
      const features = withOne(good.features, 7, bad);
      for (const values of [features, Float32Array.from(features)]) {
        const error = await errorOf(() => measure({ ...good, features: values }, weight, 3));
        expect(error).toMatchObject({ code: "non-finite-feature", message: expect.stringContaining("sample 3 ") });
      }
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "are named where a logit is %d, the first of them",
    async (bad) => {
      const logits = withOne(withOne(good.logits, 7, bad), 16, bad);
      const error = await errorOf(() => measure({ ...good, logits }, weight, 3));
      expect(error).toMatchObject({ code: "non-finite-logit", message: expect.stringContaining("sample 2 ") });
    },
  );

  it("refuses numbers whose squares would leave float64", async () => {
    const error = await errorOf(() => measure({ ...good, features: withOne(good.features, 4, 1e300) }, weight, 3));
    expect(error).toMatchObject({ code: "non-finite-feature", message: expect.stringContaining("sample 2") });
  });

  it("refuses logits of another number of samples", async () => {
    const error = await errorOf(() => measure({ ...good, logits: good.logits.subarray(0, 12) }, weight, 3));
    expect(error).toMatchObject({ code: "shape-mismatch", message: expect.stringContaining("logits") });
  });

  it("sees that means are equal although their rounding differs", async () => {
    // in float64 the mean of three 0.1 and that of seven 0.1 are not the same bits when summed plainly
    const labels = Int32Array.from({ length: 12 }, (_, i) => (i < 3 ? 0 : i < 10 ? 1 : 2));
    const features = Float64Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 0.1 : 1e4 + 0.7));
    const error = await errorOf(() => measure({ features, logits: new Float64Array(36), labels }, weight, 3));
    expect(error).toMatchObject({ code: "zero-denominator", message: expect.stringContaining("means") });
  });
});

describe("a test set", async () => {
  const { space } = await measure(good, weight, 3);

  it.each([
    ["too-few-samples", "0", { features: new Float64Array(0), logits: new Float64Array(0), labels: new Int32Array(0) }],
    ["shape-mismatch", "5", { ...good, labels: good.labels.subarray(0, 5) }],
    ["label-out-of-range", "sample 1", { ...good, labels: Int32Array.of(0, 9, 1, 1, 2, 2) }],
    ["non-finite-feature", "sample 5", { ...good, features: withOne(good.features, 11, Number.NaN) }],
    ["non-finite-logit", "sample 3", { ...good, logits: withOne(good.logits, 9, Number.NaN) }],
  ] as const)("is refused with %s that names %s", async (code, offender, samples) => {
    const error = await errorOf(() => testMetrics(setOf(samples, 3, 2), space));
    expect(error).toMatchObject({ code, message: expect.stringContaining(offender) });
  });
});
