import type { ClassSpace } from "./classSpace.ts";
import { type BlockDifferences, differencesFrom, roundedDifferencesFrom } from "./differences.ts";
import { subtractRows } from "./kernels.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { type NearestMeans, nearestMeansIn } from "./nearestMean.ts";
import { type Dense, timesTransposed } from "./products.ts";
import { blockRows, type LabelledSet, type RowBlock, type Rows } from "./rows.ts";

/** What the second pass over a training set finds about its class means. */
export interface WithinClassScatter {
  /** Per class `Σ_{i∈c} ‖h_i − μ_c‖²` (C): their sum over N is Tr Σ_W. */
  readonly squares: Float64Array;
  /**
   * `Σ_i (h_i − μ_y)ᵀ (ṀᵀṀ)⁺ (h_i − μ_y)`; over N it is NC1 (Haas et al., Eq. 3), `Tr(Σ_W Σ_B†)/C`: the C of `Σ_B = ṀᵀṀ/C` and
   * that of the definition cancel.
   */
  readonly whitened: number;
  /** The class of the nearest mean of every sample (N). */
  readonly nearest: Int32Array;
}

/** In which precision features are projected on the space of the class means. All sums are float64. */
export type Precision = "float32" | "float64";

/** Multiplications of the projection from which on float32 is tried: some 0.02 s of float64 on two cores. */
const FLOAT32_PRODUCTS = 2 ** 31;

/** The most that float32 may be off, one standard deviation. */
const MOST_NOISE = 3e-10;

/** Coordinates that are also taken in float64, those of samples from all of the set. */
const CHECKED_COORDINATES = 640_000;

/** The most that float32 may differ from float64 over the checked samples, relative. */
const TRUSTED = 1e-7;

/**
 * Returns the scatter of `set` about the means of `space`.
 *
 * Large sets are projected in float32, in half the time. The squares of the coordinates are summed in float64, so that the
 * rounding of single products averages out. That of the whitening matrix A does not; with `E = A − fl(A)` its share of the
 * sum, `Σ 2 Ar·Er`, is taken from some samples. These are projected in float64, too: where the two precisions differ by
 * more than 1e-7 over them, float32 cannot carry these features, and everything is done in float64. Seen at 100,000×2,048 of
 * 1,000 classes: 5e-11 off float64.
 */
export async function scatterOf(
  set: LabelledSet,
  space: ClassSpace,
  precision: Precision = precisionFor(set.count, space.whitening),
): Promise<WithinClassScatter> {
  const { squares, whitened, nearest, check } = await pass(set, space, precision);
  if (!check) return { squares, whitened, nearest };
  if (Math.abs(check.float32 / check.float64 - 1) > TRUSTED) return scatterOf(set, space, "float64");
  return { squares, whitened: whitened * (1 + check.rounding / check.float64), nearest };
}

/**
 * Returns by how much the sum of N·K squares of coordinates from float32 is off, relative, one standard deviation. Seen with
 * seven shapes from 20,000×64 in 63 coordinates to 5,000×2,048 in 999: the rounding of a product changes one square by 5e-7,
 * and the share of the rounding of A is 1e-7 in one square, of which CHECKED_COORDINATES are looked at.
 */
export function float32Noise(count: number, rank: number): number {
  return Math.hypot(5e-7 / Math.sqrt(count * rank), 1.2e-7 / Math.sqrt(CHECKED_COORDINATES));
}

/** Returns in which precision so many samples are projected by a whitening matrix of that shape (K×D). */
export function precisionFor(count: number, { rows: rank, columns }: { rows: number; columns: number }): Precision {
  const pays = count * rank * columns >= FLOAT32_PRODUCTS;
  return pays && float32Noise(count, rank) <= MOST_NOISE ? "float32" : "float64";
}

/** Returns for each of N features the class of `space` whose mean is nearest (N), the lowest on ties. */
export async function nearestMeans(features: Rows, space: ClassSpace): Promise<Int32Array> {
  const { globalMean } = space;
  const nearest = new Int32Array(features.count);
  const rowOf = new Int32Array(features.count);
  const origin = { rows: 1, columns: globalMean.length, values: globalMean };
  const means = nearestMeansIn(space, "global mean", rowsOf(features), "float64");
  const project = projectionOf(space, "float64", means);
  const differences = differencesFrom(origin, features);
  for await (const block of differences.blocks()) await decide(block, { differences, rowOf, project, means, nearest });
  differences.release();
  means.release();
  return nearest;
}

async function pass(
  set: LabelledSet,
  space: ClassSpace,
  precision: Precision,
): Promise<WithinClassScatter & { check: Check | null }> {
  const { features, labels, count } = set;
  const squares = new Float64Array(space.means.rows);
  const nearest = new Int32Array(count);
  const means = nearestMeansIn(space, "means", rowsOf(features), precision);
  const project = projectionOf(space, precision, means);
  const from = precision === "float32" ? roundedDifferencesFrom : differencesFrom;
  const differences = from(space.means, features);
  const check = precision === "float32" ? new Check(space, count, rowsOf(features)) : null;
  let whitened = 0;
  for await (const block of differences.blocks()) {
    const found = await decide(block, { differences, rowOf: labels, project, means, nearest });
    for (let i = 0; i < found.squares.length; i++) squares[labels[block.start + i]] += found.squares[i];
    for (let i = 0; i < found.whitened.length; i++) whitened += found.whitened[i];
    await check?.add(block, labels, found.whitened);
  }
  await check?.flush();
  differences.release();
  means.release();
  return { squares, whitened, nearest, check };
}

interface Decision {
  readonly differences: BlockDifferences<Reals>;
  readonly rowOf: Int32Array;
  readonly project: Projection;
  readonly means: NearestMeans;
  readonly nearest: Int32Array;
}

/** Decides a block; returns its squared distances from the origins (n) and its whitened ones (n). */
async function decide(block: RowBlock, { differences, rowOf, project, means, nearest }: Decision) {
  const { start, end, values } = block;
  const { differences: from, squares } = differences.of(block, rowOf);
  const exact = await project(from);
  const decisionBlock = { features: values, rowOf: rowOf.subarray(start, end), squares };
  const whitened = await means.decide(decisionBlock, nearest.subarray(start, end));
  return { squares, whitened: exact ?? whitened };
}

/** Writes the coordinates of differences (n×D) where the decision finds them; returns `‖p‖²` of each (n) before rounding. */
type Projection = (differences: Dense<Reals>) => Promise<Float64Array | null>;

function projectionOf({ whitening }: ClassSpace, precision: Precision, means: NearestMeans): Projection {
  if (precision === "float32") {
    const rounded = { ...whitening, values: new Float32Array(whitening.values) };
    return async (differences) => {
      await timesTransposed(differences as Dense<Float32Array>, rounded, means.coordinates);
      return null;
    };
  }
  return async (differences) => {
    await timesTransposed(differences as Matrix, whitening, means.unrounded!);
    return means.round(differences.rows);
  };
}

/** Rows that are collected before they are multiplied: a product of a few takes as long as one of hundreds. */
const COLLECTED_ROWS = 512;

/** Sums over the first samples of each block. */
class Check {
  /** `Σ ‖Ar‖²` as float32 has it, and in float64. */
  float32 = 0;
  float64 = 0;
  /** `Σ 2 Ar·Er`, what `Σ ‖Ar‖²` lacks because A is rounded. */
  rounding = 0;
  readonly #space: ClassSpace;
  readonly #error: Dense<Float32Array>;
  readonly #collected: Float64Array;
  readonly #rounded: Float32Array;
  readonly #projected: Float64Array;
  readonly #errors: Float32Array;
  readonly #squares: Float64Array;
  readonly #share: number;
  #rows = 0;

  /** Of a set of `count` samples, that come in blocks of up to `rows`. */
  constructor(space: ClassSpace, count: number, rows: number) {
    const { whitening } = space;
    const errors = new Float32Array(whitening.values.length);
    for (let k = 0; k < errors.length; k++) errors[k] = whitening.values[k] - Math.fround(whitening.values[k]);
    this.#space = space;
    this.#error = { ...whitening, values: errors };
    this.#share = Math.min(1, CHECKED_COORDINATES / (count * whitening.rows));
    const most = COLLECTED_ROWS + Math.ceil(rows * this.#share);
    this.#collected = new Float64Array(most * whitening.columns);
    this.#rounded = new Float32Array(most * whitening.columns);
    this.#projected = new Float64Array(most * whitening.rows);
    this.#errors = new Float32Array(most * whitening.rows);
    this.#squares = new Float64Array(most);
  }

  /** Adds some of a block, of which `squares` are the `‖Ar‖²` (n) that float32 gave. */
  async add({ start, values }: RowBlock, labels: Int32Array, squares: Float64Array): Promise<void> {
    const { means } = this.#space;
    const some = Math.ceil(squares.length * this.#share);
    const target = this.#collected.subarray(this.#rows * means.columns);
    subtractRows(values, means, labels.subarray(start, start + some), target, this.#squares);
    for (let i = 0; i < some; i++) this.float32 += squares[i];
    this.#rows += some;
    if (this.#rows >= COLLECTED_ROWS) await this.flush();
  }

  /** Adds what is collected to the sums of float64. */
  async flush(): Promise<void> {
    const { whitening } = this.#space;
    const { columns } = whitening;
    const differences = { rows: this.#rows, columns, values: this.#collected.subarray(0, this.#rows * columns) };
    this.#rows = 0;
    if (differences.rows === 0) return;
    const projected = (await timesTransposed(differences, whitening, this.#projected)).values;
    const rounded = this.#rounded.subarray(0, differences.values.length);
    rounded.set(differences.values);
    const errors = (await timesTransposed({ ...differences, values: rounded }, this.#error, this.#errors)).values;
    for (let k = 0; k < projected.length; k++) {
      this.float64 += projected[k] * projected[k];
      this.rounding += 2 * projected[k] * errors[k];
    }
  }
}

/** The most rows a block has. */
function rowsOf({ columns, count }: Rows): number {
  return Math.min(blockRows(columns), count);
}
