import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { structure } from "../../../src/metrics/structure/structure.ts";
import { collapseOf } from "../cases.ts";
import { gaussians } from "../gaussians.ts";

/** Relative to the larger of the value and 1e-3, over 8,000 problems of each property. */
const TOLERANCE = 1e-9;

interface Problem {
  readonly classes: number;
  readonly dimensions: number;
  readonly labels: Int32Array;
  readonly features: Float64Array;
  readonly weight: Float64Array;
}

/** Gaussian classes in general position, more dimensions than classes; every class has at least two samples. */
const problems: fc.Arbitrary<Problem> = fc
  .record({
    classes: fc.integer({ min: 2, max: 6 }),
    more: fc.integer({ min: 3, max: 8 }),
    extra: fc.integer({ min: 0, max: 40 }),
    seed: fc.integer(),
  })
  .map(({ classes, more, extra, seed }) => {
    const next = gaussians(seed);
    const dimensions = classes + more;
    const normal = (length: number) => Float64Array.from({ length }, next);
    const count = 2 * classes + extra;
    const labels = Int32Array.from({ length: count }, (_, i) => (i < 2 * classes ? i % classes : (i * i) % classes));
    const centres = normal(classes * dimensions);
    const features = normal(count * dimensions).map(
      (x, k) => x / 2 + 2 * centres[labels[Math.floor(k / dimensions)]! * dimensions + (k % dimensions)]!,
    );
    return { classes, dimensions, labels, features, weight: normal(classes * dimensions) };
  });

async function structureOf({ classes, dimensions, labels, features, weight }: Problem) {
  const logits = new Float64Array(labels.length * classes);
  return structure(await collapseOf({ features, logits, labels }, weight, classes, dimensions));
}

function expectSame(actual: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected))
    expect(Math.abs(actual[name]! - value), name).toBeLessThanOrEqual(TOLERANCE * Math.max(Math.abs(value), 1e-3));
}

/** Mirrors every row of `width` numbers at the hyperplane across `normal` (width). */
function mirrored(values: Float64Array, normal: Float64Array): Float64Array {
  const width = normal.length;
  const square = normal.reduce((sum, x) => sum + x * x, 0);
  const along = (row: number) => normal.reduce((sum, x, d) => sum + x * values[row * width + d]!, 0);
  const twice = Float64Array.from({ length: values.length / width }, (_, row) => (2 * along(row)) / square);
  return values.map((x, k) => x - twice[Math.floor(k / width)]! * normal[k % width]!);
}

/** Returns the rows of `values` in another order: row c of the result is row `order[c]`. */
function inOrder(values: Float64Array, order: readonly number[]): Float64Array {
  const width = values.length / order.length;
  return values.map((_, k) => values[order[Math.floor(k / width)]! * width + (k % width)]!);
}

describe("the measures of structure", () => {
  it("do not change when features and weight are mirrored, and thus turned, alike", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.integer(), async (problem, seed) => {
        const next = gaussians(seed);
        const normal = Float64Array.from({ length: problem.dimensions }, next);
        const turn = (values: Float64Array) => mirrored(values, normal);
        const turned = { ...problem, features: turn(problem.features), weight: turn(problem.weight) };
        expectSame((await structureOf(turned)).values, (await structureOf(problem)).values);
      }),
    );
  });

  it("do not change with the positive scale of features and of weight, and the variances go with its square", async () => {
    const scale = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    await fc.assert(
      fc.asyncProperty(problems, scale, scale, async (problem, s, t) => {
        const features = problem.features.map((x) => s * x);
        const weight = problem.weight.map((x) => t * x);
        const scaled = await structureOf({ ...problem, features, weight });
        const plain = await structureOf(problem);
        expectSame(scaled.values, plain.values);
        for (const part of ["withinClassVariance", "betweenClassSquare"] as const)
          plain[part].forEach((value, c) => {
            expect(scaled[part][c]! / s ** 2 / value).toBeCloseTo(1, 9);
          });
      }),
    );
  });

  it("do not depend on the order of the classes, and what is told per class moves with them", async () => {
    const renamed = problems.chain((problem) =>
      fc.tuple(
        fc.constant(problem),
        fc.shuffledSubarray([...Array(problem.classes).keys()], { minLength: problem.classes }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(renamed, async ([problem, order]) => {
        const labels = problem.labels.map((label) => order.indexOf(label));
        const plain = await structureOf(problem);
        const moved = await structureOf({ ...problem, labels, weight: inOrder(problem.weight, order) });
        expectSame(moved.values, plain.values);
        order.forEach((from, to) => {
          expect(moved.withinClassVariance[to]).toBeCloseTo(plain.withinClassVariance[from]!, 10);
          expect(moved.cosines.means!.values[to * problem.classes]).toBeCloseTo(
            plain.cosines.means!.values[from * problem.classes + order[0]!]!,
            10,
          );
        });
      }),
    );
  });

  it("are at their ends for collapsed features and a dual classifier: a simplex ETF", async () => {
    const sizes = fc.record({ classes: fc.integer({ min: 2, max: 12 }), more: fc.nat(5), seed: fc.integer() });
    await fc.assert(
      fc.asyncProperty(sizes, fc.double({ min: 0.1, max: 10, noNaN: true }), async ({ classes, more, seed }, scale) => {
        const dimensions = classes + more;
        const next = gaussians(seed);
        const simplex = Float64Array.from({ length: classes * dimensions }, (_, k) => {
          const d = k % dimensions;
          return (d === Math.floor(k / dimensions) ? 1 : 0) - (d < classes ? 1 / classes : 0);
        });
        const vectors = mirrored(simplex, Float64Array.from({ length: dimensions }, next));
        const labels = Int32Array.from({ length: 2 * classes }, (_, i) => i % classes);
        const features = Float64Array.from([...vectors, ...vectors], (x) => x + 3);
        const weight = vectors.map((x) => scale * x);
        const { values } = await structureOf({ classes, dimensions, labels, features, weight });
        const ends = {
          ...{ nc1_svd: 0, nc1_quot: 0, nc1_cdnv: 0, nc2_etf_means: 0, nc2_etf_classifiers: 0, nc3_etf: 0 },
          ...{ nc3_cosine: 1, unc3: 0 },
          gnc2_log_means: -Math.log((2 * classes) / (classes - 1)) / 2,
          gnc2_log_variance_means: 0,
          gnc2_log_classifiers: -Math.log((2 * classes) / (classes - 1)) / 2,
          gnc2_log_variance_classifiers: 0,
          effective_rank_means: classes - 1,
          effective_rank_classifiers: classes - 1,
        };
        expect(Object.keys(values)).toEqual(Object.keys(ends));
        for (const [name, end] of Object.entries(ends))
          expect(Math.abs(values[name]! - end), name).toBeLessThanOrEqual(1e-12 * classes);
      }),
    );
  });
});
