import { describe, expect, it } from "vitest";
import type { Collapse } from "../../../src/metrics/collapse.ts";
import type { Matrix } from "../../../src/metrics/matrix.ts";
import { toMatrix } from "../../../src/metrics/matrix.ts";
import { MOST_PLOTTED_CLASSES, structure } from "../../../src/metrics/structure/structure.ts";
import { collapseOf } from "../cases.ts";
import { gaussians } from "../gaussians.ts";
import { collapseOfCase, EXPECTED } from "./expected.ts";

/** Relative to the expected value, which float64 of other code gave; absolute below ZERO, where the true value is 0. */
const TOLERANCE = 1e-9;
const ZERO = 1e-12;

function expectClose(actual: number, expected: number, what: string): void {
  const bound = Math.abs(expected) < ZERO ? ZERO : TOLERANCE * Math.abs(expected);
  expect(Math.abs(actual - expected), `${what}: ${actual} for ${expected}`).toBeLessThanOrEqual(bound);
}

function expectAllClose(actual: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, k) => {
    expectClose(actual[k]!, value, `${what} ${k}`);
  });
}

describe.each(Object.keys(EXPECTED))("of %s", (name) => {
  const expected = EXPECTED[name]!;

  it("every measure is that of the other code, and what it cannot give is omitted with the reason", async () => {
    const { values, omitted } = await structure(await collapseOfCase(name));
    for (const [measure, value] of Object.entries(expected.values))
      if (value === null) expect(omitted[measure], measure).toMatch(/expected/);
      else expectClose(values[measure]!, value, measure);
    expect(Object.keys({ ...values, ...omitted }).sort()).toEqual(Object.keys(expected.values).sort());
  });

  it("variances, distances and cosines of the classes are those of the other code", async () => {
    const { withinClassVariance, betweenClassSquare, cosines } = await structure(await collapseOfCase(name));
    expectAllClose(withinClassVariance, expected.within_class_variance, "variance");
    expectAllClose(betweenClassSquare, expected.between_class_square, "square");
    expectAllClose(cosines.means!.values, expected.cosines_means, "cosine of means");
    expectAllClose(cosines.weight!.values, expected.cosines_classifiers, "cosine of classifiers");
  });
});

describe("the cases", () => {
  it("are every golden one and one with equal means", () => {
    expect(Object.keys(EXPECTED)).toHaveLength(8);
    expect(Object.keys(EXPECTED)).toContain("coincident-means");
  });
});

describe("without a denominator", () => {
  /** Returns a collapse with one row of the centred means or of the weight zero, as if it had been let through. */
  async function withZeroRow(which: "centred" | "weight", row: number): Promise<Collapse> {
    const good = await collapseOfCase("metrics-imbalanced");
    const cut = (matrix: Matrix) => ({
      ...matrix,
      values: matrix.values.map((x, k) => (Math.floor(k / matrix.columns) === row ? 0 : x)),
    });
    const nan = (cosines: Matrix) => ({
      ...cosines,
      values: cosines.values.map((x, k) =>
        Math.floor(k / cosines.rows) === row || k % cosines.rows === row ? NaN : x,
      ),
    });
    const part = which === "centred" ? ("means" as const) : ("weight" as const);
    return { ...good, [which]: cut(good[which]), cosines: { ...good.cosines, [part]: nan(good.cosines[part]) } };
  }

  it("equal means take the measures of their distance with them, and name both classes", async () => {
    const { values, omitted } = await structure(await collapseOfCase("coincident-means"));
    expect(omitted.nc1_cdnv).toContain("classes 1 and 3");
    expect(omitted.gnc2_log_means).toContain("classes 1 and 3");
    expect(omitted.nc1_svd).toContain("rank 3");
    expect(Object.keys(omitted)).toHaveLength(4);
    expect(Object.values(values).every(Number.isFinite)).toBe(true);
  });

  it("means are seen as equal although their rounding differs", async () => {
    // in float64 the mean of three 0.1 and that of seven 0.1 are not the same bits when summed plainly
    const labels = Int32Array.from({ length: 13 }, (_, i) => (i < 3 ? 0 : i < 10 ? 1 : i < 12 ? 2 : 3));
    const features = Float64Array.from({ length: 26 }, (_, k) =>
      labels[k >> 1]! < 2 ? (k % 2 === 0 ? 0.1 : 1e4 + 0.7) : 1e4 + k,
    );
    const weight = Float64Array.of(1, 0, 2, 1, 0, 1, 0, 0.5);
    const { omitted } = await structure(
      await collapseOf({ features, logits: new Float64Array(52), labels }, weight, 4, 2),
    );
    expect(omitted.nc1_cdnv).toContain("classes 0 and 1");
    expect(omitted.gnc2_log_variance_means).toContain("classes 0 and 1");
  });

  it("classifiers of one direction have no logarithm of their distance", async () => {
    const good = await collapseOfCase("metrics-imbalanced");
    const { columns } = good.weight;
    const values = good.weight.values.slice();
    for (let d = 0; d < columns; d++) values[5 * columns + d] = values[2 * columns + d]! / 3;
    const cosines = good.cosines.weight.values.slice();
    cosines[2 * 8 + 5] = 1;
    const { omitted } = await structure({
      ...good,
      weight: { ...good.weight, values },
      cosines: { ...good.cosines, weight: { ...good.cosines.weight, values: cosines } },
    });
    expect(omitted.gnc2_log_classifiers).toContain("classes 2 and 5");
    expect(Object.keys(omitted)).toEqual(["gnc2_log_classifiers", "gnc2_log_variance_classifiers"]);
  });

  it.each([
    ["centred", ["nc3_cosine", "unc3", "gnc2_log_means", "gnc2_log_variance_means", "cosines_means"]],
    ["weight", ["nc3_cosine", "unc3", "gnc2_log_classifiers", "gnc2_log_variance_classifiers", "cosines_classifiers"]],
  ] as const)("a zero row of %s costs the measures of directions alone, and is named", async (which, names) => {
    const { values, omitted, cosines } = await structure(await withZeroRow(which, 3));
    expect(Object.keys(omitted)).toEqual(names);
    for (const reason of Object.values(omitted)) expect(reason).toContain("class 3");
    expect(Object.values(values).every(Number.isFinite)).toBe(true);
    expect(cosines[which === "centred" ? "means" : "weight"]).toBeNull();
  });

  it("a zero weight has no frame, no rank and no duality", async () => {
    const good = await collapseOfCase("metrics-imbalanced");
    const { values, omitted } = await structure({ ...good, weight: toMatrix(new Float64Array(8 * 32), 32) });
    for (const name of ["nc2_etf_classifiers", "nc3_etf", "effective_rank_classifiers"])
      expect(omitted[name]).toContain("is zero");
    expect(values.nc2_etf_means).toBeGreaterThan(0);
  });
});

describe("cosines", () => {
  it("are stored for up to a hundred classes, with the reason above", async () => {
    const ofClasses = async (classes: number) => {
      const next = gaussians(classes);
      const normal = (length: number) => Float64Array.from({ length }, next);
      const labels = Int32Array.from({ length: classes }, (_, i) => i);
      const samples = { features: normal(classes * 3), logits: normal(classes * classes), labels };
      return structure(await collapseOf(samples, normal(classes * 3), classes, 3));
    };
    const stored = await ofClasses(MOST_PLOTTED_CLASSES);
    expect(stored.cosines.means!.values).toHaveLength(MOST_PLOTTED_CLASSES ** 2);
    const left = await ofClasses(MOST_PLOTTED_CLASSES + 1);
    expect(left.cosines).toEqual({ means: null, weight: null });
    expect(left.omitted.cosines_means).toContain("101 classes");
    expect(left.omitted.cosines_classifiers).toContain("101 classes");
  });
});
