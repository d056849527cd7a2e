import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClassSums, centredMeans } from "../../src/metrics/classMeans.ts";
import { betweenClassSpectrum } from "../../src/metrics/nc1.ts";
import { collapseOf, type Samples } from "./cases.ts";
import { gaussians } from "./gaussians.ts";

/** Metrics that count samples, or the rank: equal to the last bit. */
const COUNTED = new Set(["nc4_error", "nc4_mismatch", "train_accuracy", "sigma_b_rank", "samples"]);

interface Problem extends Samples {
  readonly classes: number;
  readonly dimensions: number;
  readonly features: Float64Array;
  readonly weight: Float64Array;
}

/** Beyond it the smallest eigenvalue of Σ_B, and with it NC1, is known to fewer digits than these tests ask for. */
const LARGEST_CONDITION = 1e5;

/** Gaussian classes in general position; every class has a sample. Features and weights are float32 numbers. */
const problems: fc.Arbitrary<Problem> = fc
  .record({
    classes: fc.integer({ min: 2, max: 7 }),
    dimensions: fc.integer({ min: 2, max: 12 }),
    extra: fc.integer({ min: 0, max: 60 }),
    seed: fc.integer(),
  })
  .map(({ classes, dimensions, extra, seed }) => {
    const next = gaussians(seed);
    const count = 2 * classes + extra;
    const normal = (length: number) => Float64Array.from({ length }, () => Math.fround(next()));
    const labels = Int32Array.from({ length: count }, (_, i) => (i < 2 * classes ? i % classes : (i * i) % classes));
    const centres = normal(classes * dimensions);
    const noise = normal(count * dimensions);
    const features = noise.map((x, k) =>
      Math.fround(0.5 * x + 2 * centres[labels[Math.floor(k / dimensions)]! * dimensions + (k % dimensions)]!),
    );
    const logits = normal(count * classes);
    const weight = normal(classes * dimensions);
    return { classes, dimensions, labels, features, logits, weight };
  })
  .filter((problem) => conditionOf(problem) < LARGEST_CONDITION);

function sumsOf({ features, labels, classes, dimensions }: Problem): ClassSums {
  const sums = new ClassSums(classes, dimensions);
  sums.add(features, labels);
  return sums;
}

function conditionOf(problem: Problem): number {
  const { eigenvalues, rank } = betweenClassSpectrum(centredMeans(sumsOf(problem).means()));
  return eigenvalues[0]! / eigenvalues[rank - 1]!;
}

async function metricsOf(problem: Problem): Promise<Readonly<Record<string, number>>> {
  return (await collapseOf(problem, problem.weight, problem.classes, problem.dimensions)).values;
}

/** Expects equal counts, and other metrics equal to `tolerance` of the larger of their value and 1e-3. */
function expectSame(
  actual: Readonly<Record<string, number>>,
  expected: Readonly<Record<string, number>>,
  tolerance: number,
): void {
  for (const [name, value] of Object.entries(expected)) {
    if (COUNTED.has(name)) expect(actual[name], name).toBe(value);
    else expect(Math.abs(actual[name]! - value), name).toBeLessThanOrEqual(tolerance * Math.max(Math.abs(value), 1e-3));
  }
}

/** Returns the samples in another order. */
function inOrder(problem: Problem, order: readonly number[]): Problem {
  const { features, logits, labels, classes, dimensions } = problem;
  const pick = (values: Float64Array, width: number) =>
    Float64Array.from(
      { length: order.length * width },
      (_, k) => values[order[Math.floor(k / width)]! * width + (k % width)]!,
    );
  return {
    ...problem,
    features: pick(features, dimensions),
    logits: pick(logits as Float64Array, classes),
    labels: Int32Array.from(order, (i) => labels[i]!),
  };
}

/** A permutation of 0 to n−1, from one number per index. */
const permutation = (n: number) =>
  fc.array(fc.double({ noNaN: true }), { minLength: n, maxLength: n }).map((keys) =>
    keys
      .map((key, i) => ({ key, i }))
      .sort((a, b) => a.key - b.key || a.i - b.i)
      .map(({ i }) => i),
  );

/** Turns every row of `width` numbers by Givens rotations of all neighbouring axes. */
function rotated(values: Float64Array, width: number, angle: number): Float64Array {
  const result = values.slice();
  for (let row = 0; row < values.length; row += width)
    for (let d = 0; d + 1 < width; d++) {
      const [x, y] = [result[row + d]!, result[row + d + 1]!];
      result[row + d] = Math.cos(angle + d) * x - Math.sin(angle + d) * y;
      result[row + d + 1] = Math.sin(angle + d) * x + Math.cos(angle + d) * y;
    }
  return result;
}

describe("the collapse metrics", () => {
  it("do not change when features and weights are rotated alike", () =>
    fc.assert(
      fc.asyncProperty(problems, fc.double({ min: 0, max: 7, noNaN: true }), async (problem, angle) => {
        const turn = (values: Float64Array) => rotated(values, problem.dimensions, angle);
        const turned = { ...problem, features: turn(problem.features), weight: turn(problem.weight) };
        expectSame(await metricsOf(turned), await metricsOf(problem), 1e-9);
      }),
    ));

  it("do not change with the positive scale of features and of weights, and the traces go with its square", () => {
    const scale = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    return fc.assert(
      fc.asyncProperty(problems, scale, scale, async (problem, s, t) => {
        const { trace_sigma_w, trace_sigma_b, ...expected } = await metricsOf(problem);
        const scaled = await metricsOf({
          ...problem,
          features: problem.features.map((x) => s * x),
          weight: problem.weight.map((x) => t * x),
        });
        expectSame(scaled, expected, 1e-9);
        expect(scaled.trace_sigma_w! / s ** 2 / trace_sigma_w!).toBeCloseTo(1, 10);
        expect(scaled.trace_sigma_b! / s ** 2 / trace_sigma_b!).toBeCloseTo(1, 10);
      }),
    );
  });

  it("do not depend on the order of the samples", () => {
    const shuffled = problems.chain((problem) => fc.tuple(fc.constant(problem), permutation(problem.labels.length)));
    return fc.assert(
      fc.asyncProperty(shuffled, async ([problem, order]) => {
        expectSame(await metricsOf(inOrder(problem, order)), await metricsOf(problem), 1e-12);
      }),
    );
  });

  it("have the class means of one pass when sums over shards, cut anywhere, are merged in any order", () => {
    const sharded = problems.chain((problem) =>
      fc.tuple(
        fc.constant(problem),
        fc.array(fc.nat(3), { minLength: problem.labels.length, maxLength: problem.labels.length }),
        fc.constantFrom(0, 100, 1e4),
      ),
    );
    fc.assert(
      fc.property(sharded, ([base, shardOf, offset]) => {
        const problem = { ...base, features: base.features.map((x) => Math.fround(x + offset)) };
        const merged = new ClassSums(problem.classes, problem.dimensions);
        for (const shard of [2, 0, 3, 1]) {
          const order = [...shardOf.keys()].filter((i) => shardOf[i] === shard);
          merged.merge(sumsOf(inOrder(problem, order)));
        }
        const { values: means } = merged.means();
        sumsOf(problem)
          .means()
          .values.forEach((mean, k) => {
            expect(Math.abs(means[k]! - mean)).toBeLessThanOrEqual(4 * Number.EPSILON * Math.abs(mean));
          });
      }),
    );
  });

  it("survive a common offset of float32 features, as far as these can carry it", () =>
    fc.assert(
      fc.asyncProperty(problems, fc.constantFrom(-4096, 1024, 8192), async (problem, offset) => {
        // multiples of 2^-8 keep every bit under the offset, so that the true metrics are those without it
        const features = problem.features.map((x) => Math.round(x * 256) / 256);
        const shifted = Float32Array.from(features, (x) => x + offset);
        const { weight, classes, dimensions } = problem;
        const { values } = await collapseOf({ ...problem, features: shifted }, weight, classes, dimensions);
        expectSame(values, await metricsOf({ ...problem, features }), 1e-8);
      }),
    ));
});
