import { CollapsarError } from "../../errors.ts";
import { factorInPlace, inverseOfLower } from "../cholesky.ts";
import { differencesFrom } from "../differences.ts";
import type { Matrix } from "../matrix.ts";
import { scaleRow, zeros } from "../matrix.ts";
import { transposedTimes } from "../products.ts";
import type { LabelledSet } from "../rows.ts";
import { addTo, type Moments } from "./moments.ts";

/** What the covariances of all classes may take together: 100 classes of 2,048 dimensions have 3.1 GiB. */
const MOST_BYTES = 4 * 2 ** 30;

/**
 * Rows of a class that are collected before their product is taken: more do not make it faster (50,000×512), fewer do not
 * fill the cores. Many classes share a memory of that many bytes.
 */
const COLLECTED_ROWS = 512;
const COLLECTED_BYTES = 2 ** 28;

/**
 * Returns the covariance of every class, `1/(n_c−1) Σ_{i∈c} (h_i − μ_c)(h_i − μ_c)ᵀ` (D×D each).
 * @throws CollapsarError `too-few-samples` that names a class with fewer than 2; `object-too-large`.
 */
export async function classCovariances(
  { features, labels }: LabelledSet,
  { means, counts }: Moments,
): Promise<Matrix[]> {
  const { rows: classes, columns } = means;
  requireCovariances(counts, columns);
  const covariances = Array.from({ length: classes }, () => zeros(columns, columns));
  const room = Math.max(1, Math.min(COLLECTED_ROWS, Math.floor(COLLECTED_BYTES / (classes * columns * 8))));
  const collected = Array.from({ length: classes }, () => ({ rows: 0, values: new Float64Array(room * columns) }));
  const product = new Float64Array(columns ** 2);
  const add = async (c: number) => {
    const { rows, values } = collected[c];
    collected[c].rows = 0;
    const residuals = { rows, columns, values: values.subarray(0, rows * columns) };
    if (rows > 0) addTo(covariances[c], await transposedTimes(residuals, residuals, product));
  };
  const differences = differencesFrom(means, features);
  for await (const block of differences.blocks()) {
    const { values } = differences.of(block, labels).differences;
    for (let i = 0; i < block.end - block.start; i++) {
      const c = labels[block.start + i];
      collected[c].values.set(values.subarray(i * columns, (i + 1) * columns), collected[c].rows++ * columns);
      if (collected[c].rows === room) await add(c);
    }
  }
  for (let c = 0; c < classes; c++) {
    await add(c);
    for (let d = 0; d < columns; d++) scaleRow(covariances[c], d, 1 / (counts[c] - 1));
  }
  return covariances;
}

function requireCovariances(counts: Float64Array, columns: number): void {
  const lonely = counts.findIndex((count) => count < 2);
  if (lonely >= 0)
    throw new CollapsarError("too-few-samples", `class ${lonely} has 1 sample: a covariance needs at least 2`);
  const bytes = counts.length * columns ** 2 * 8;
  if (bytes > MOST_BYTES)
    throw new CollapsarError(
      "object-too-large",
      `covariances of ${counts.length} classes of ${columns} dimensions need ${(bytes / 2 ** 30).toFixed(1)} GiB, at most ${MOST_BYTES / 2 ** 30} were expected`,
    );
}

/** What whitens vectors: with `Σ + jitter·I = L Lᵀ` it is `L⁻¹`. */
export interface Whitening {
  /** `L⁻¹` of each covariance (D×D each, lower triangular). */
  readonly inverses: readonly Matrix[];
  /** What was added to every diagonal, absolute. */
  readonly jitter: number;
}

/** Of the mean diagonal of all covariances. DDU's absolute ladder starts at 1e-308, and its rung then depends on rounding. */
const RUNGS = [0, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/**
 * Returns the whitening by covariances (D×D each, which are overwritten), with `jitter` where one is given, else with the
 * smallest of 0, 1e-12, 1e-11, … 1e-1 times the mean diagonal that lets all of them be factored.
 * @throws CollapsarError `zero-denominator` that names a class which no jitter lets be factored.
 */
export async function whiteningOf(covariances: Matrix[], jitter?: number): Promise<Whitening> {
  const diagonals = covariances.map(diagonalOf);
  const mean = average(diagonals.map(average));
  const jitters = jitter === undefined ? RUNGS.map((rung) => rung * mean) : [jitter];
  let failed = 0;
  for (const candidate of jitters) {
    failed = await firstFailure(covariances, diagonals, candidate);
    if (failed >= 0) continue;
    const inverses: Matrix[] = [];
    // one leaves as its inverse comes: both for all classes may be too much for the memory
    while (covariances.length > 0) inverses.push(await inverseOfLower(covariances.shift()!));
    return { inverses, jitter: candidate };
  }
  const whose = covariances.length > 1 ? `covariance of class ${failed}` : "covariance within classes";
  throw new CollapsarError(
    "zero-denominator",
    `the ${whose} cannot be factored with a jitter of ${jitters.at(-1)}: a positive definite one was expected`,
  );
}

/** Factors all covariances with that jitter; returns the first that cannot be, or −1. */
async function firstFailure(
  covariances: readonly Matrix[],
  diagonals: readonly Float64Array[],
  jitter: number,
): Promise<number> {
  for (const [c, covariance] of covariances.entries()) {
    const diagonal = diagonals[c].map((value) => value + jitter);
    if (!(await factorInPlace(covariance, diagonal))) return c;
  }
  return -1;
}

function diagonalOf({ rows, values }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, d) => values[d * rows + d]);
}

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum / values.length;
}
