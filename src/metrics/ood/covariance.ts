import { CollapsarError } from "../../errors.ts";
import { cholesky } from "../cholesky.ts";
import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { transposedTimes } from "../products.ts";
import type { LabelledSet } from "../rows.ts";

/** Rows of a class that are collected before their product is taken: fewer do not fill the cores. */
const COLLECTED_ROWS = 512;

/** What the covariances of all classes may take together: 10 classes of 2,048 dimensions have 0.3 GB. */
const MOST_BYTES = 2 * 2 ** 30;

/** Returns `Σ_{i∈c} (h_i − μ_c)(h_i − μ_c)ᵀ` of every class (D×D each) about the class means (C×D). */
export async function scatterOfClasses({ features, labels }: LabelledSet, means: Matrix): Promise<Float64Array[]> {
  const { rows: classes, columns } = means;
  if (classes * columns ** 2 * 8 > MOST_BYTES)
    throw new CollapsarError(
      "object-too-large",
      `the covariances of ${classes} classes of ${columns} dimensions need ${Math.round((classes * columns ** 2 * 8) / 2 ** 30)} GiB, at most ${MOST_BYTES / 2 ** 30} were expected`,
    );
  const scatter = Array.from({ length: classes }, () => new Float64Array(columns ** 2));
  const collected = Array.from({ length: classes }, () => ({
    rows: 0,
    values: new Float64Array(COLLECTED_ROWS * columns),
  }));
  const flush = async (c: number) => {
    const { rows, values } = collected[c];
    collected[c].rows = 0;
    if (rows > 0) await addProduct(scatter[c], { rows, columns, values: values.subarray(0, rows * columns) });
  };
  const differences = differencesFrom(means, features);
  for await (const block of differences.blocks()) {
    const { values } = differences.of(block, labels).differences;
    for (let i = 0; i < block.end - block.start; i++) {
      const c = labels[block.start + i];
      collected[c].values.set(values.subarray(i * columns, (i + 1) * columns), collected[c].rows++ * columns);
      if (collected[c].rows === COLLECTED_ROWS) await flush(c);
    }
  }
  for (let c = 0; c < classes; c++) await flush(c);
  return scatter;
}

/** Returns `Σ_i (h_i − μ_{y_i})(h_i − μ_{y_i})ᵀ` over all classes (D×D). */
export async function scatterWithinClasses({ features, labels }: LabelledSet, means: Matrix): Promise<Float64Array> {
  const scatter = new Float64Array(means.columns ** 2);
  const differences = differencesFrom(means, features);
  for await (const block of differences.blocks()) await addProduct(scatter, differences.of(block, labels).differences);
  return scatter;
}

async function addProduct(scatter: Float64Array, rows: Matrix): Promise<void> {
  const { values } = await transposedTimes(rows, rows);
  for (let k = 0; k < scatter.length; k++) scatter[k] += values[k];
}

/** Lower factors of covariances, all with the same jitter on their diagonals. */
export interface Factored {
  readonly factors: readonly Float64Array[];
  /** Absolute. */
  readonly jitter: number;
}

/** Of the mean diagonal. DDU's absolute ladder starts at 1e-308, and its rung then depends on rounding. */
const RUNGS = [0, ...Array.from({ length: 12 }, (_, k) => 10 ** (k - 12))];

/**
 * Returns the Cholesky factors of covariances (D×D each), with `jitter` where one is given, else with the smallest of 0,
 * 1e-12, 1e-11, … 1e-1 times the mean diagonal that lets all of them be factored.
 * @throws CollapsarError `zero-denominator` where no jitter is enough.
 */
export function factorAll(covariances: readonly Float64Array[], dimensions: number, jitter?: number): Factored {
  const diagonal = covariances.reduce((sum, covariance) => sum + trace(covariance, dimensions), 0);
  const scale = diagonal / covariances.length / dimensions;
  const jitters = jitter === undefined ? RUNGS.map((rung) => rung * scale) : [jitter];
  for (const candidate of jitters) {
    const factors: Float64Array[] = [];
    for (const covariance of covariances) {
      const factor = cholesky(covariance, dimensions, candidate);
      if (!factor) break;
      factors.push(factor);
    }
    if (factors.length === covariances.length) return { factors, jitter: candidate };
  }
  throw new CollapsarError(
    "zero-denominator",
    `a covariance of the features cannot be factored, also with a jitter of ${jitters.at(-1)}`,
  );
}

function trace(matrix: Float64Array, dimensions: number): number {
  let sum = 0;
  for (let i = 0; i < dimensions; i++) sum += matrix[i * dimensions + i];
  return sum;
}
