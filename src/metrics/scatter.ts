import type { ClassSpace } from "./classSpace.ts";
import { samplePass } from "./lanes/pass.ts";
import type { Precision } from "./nearestMean.ts";
import type { LabelledSet, Rows } from "./rows.ts";
import { HAS_TILES } from "./tiles.ts";

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

/** Multiplications of the projection from which on float32 is tried: some 0.02 s of float64 on two cores. */
const FLOAT32_PRODUCTS = 2 ** 31;

/** Coordinates from which on products of bytes are tried; of few, a float32 product takes less than taking numbers apart. */
const BYTES_RANK = 256;

/** Dimensions up to which sums of products of bytes are taken: 3 · 255 · 127 of each fit 32 bits. */
const BYTES_DIMENSIONS = 2 ** 14;

/** The most that a sum may be off, one standard deviation. */
const MOST_NOISE = 3e-10;

/**
 * What rounding changes in one square of a coordinate, relative: that of a product, and that of A. Seen with seven shapes from 20,000×64
 * in 63 coordinates to 5,000×2,048 in 999. The second is estimated by so many coordinates, those of samples from all of the set.
 */
const ROUNDING = {
  float32: { product: 5e-7, matrix: 1.2e-7, checked: 400_000 },
  bytes: { product: 9e-7, matrix: 2.4e-7, checked: 1_600_000 },
};

/** The most that these may differ from float64 over the checked samples, relative. */
const TRUSTED = 1e-7;

/**
 * Returns the scatter of `set` about the means of `space`.
 *
 * Large sets are projected in float32, in half the time, or as the bytes of float32 numbers. The squares of the coordinates are summed in float64, so that the
 * rounding of single products averages out. That of the whitening matrix A does not; with `E = A − fl(A)` its share of the
 * sum, `Σ 2 Ar·Er`, is taken from some samples. An eighth of these is projected in float64, too: where the two precisions
 * differ by more than 1e-7 over them, float32 cannot carry these features, and everything is done in float64.
 */
export async function scatterOf(
  set: LabelledSet,
  space: ClassSpace,
  precision: Precision = precisionFor(set.count, space.whitening),
): Promise<WithinClassScatter> {
  const { features, labels, count } = set;
  const checked = precision === "float64" ? 0 : ROUNDING[precision].checked;
  const found = await samplePass(features, {
    space,
    precision,
    origins: "means",
    references: space.means,
    rowOf: labels,
    checkedShare: Math.min(1, checked / (count * space.whitening.rows)),
  });
  const squaresOf = new Float64Array(space.means.rows);
  let whitened = 0;
  for (let i = 0; i < count; i++) {
    squaresOf[labels[i]] += found.squares[i];
    whitened += found.whitened[i];
  }
  if (precision !== "float64") {
    const { float32, float64, rounding, squares } = found.check;
    if (Math.abs(float32 / float64 - 1) > TRUSTED) return scatterOf(set, space, "float64");
    whitened *= 1 + rounding / squares;
  }
  return { squares: squaresOf, whitened, nearest: found.nearest };
}

/** Returns by how much the sum of N·K squares of coordinates is off, relative, one standard deviation. */
export function roundingNoise(precision: keyof typeof ROUNDING, count: number, rank: number): number {
  const { product, matrix, checked } = ROUNDING[precision];
  return Math.hypot(product / Math.sqrt(count * rank), matrix / Math.sqrt(checked));
}

/**
 * Returns in which precision so many samples are projected by a whitening matrix of that shape (K×D), on a processor that multiplies
 * tiles of bytes or does not.
 */
export function precisionFor(
  count: number,
  { rows: rank, columns }: { rows: number; columns: number },
  hasTiles = HAS_TILES,
): Precision {
  const pays = count * rank * columns >= FLOAT32_PRODUCTS;
  const precision = hasTiles && rank >= BYTES_RANK && columns <= BYTES_DIMENSIONS ? "bytes" : "float32";
  return pays && roundingNoise(precision, count, rank) <= MOST_NOISE ? precision : "float64";
}

/** Returns for each of N features the class of `space` whose mean is nearest (N), the lowest on ties. */
export async function nearestMeans(features: Rows, space: ClassSpace): Promise<Int32Array> {
  const { globalMean } = space;
  const references = { rows: 1, columns: globalMean.length, values: globalMean };
  const rowOf = new Int32Array(features.count);
  const order = { space, references, rowOf, checkedShare: 0 };
  return (await samplePass(features, { ...order, precision: "float64", origins: "global mean" })).nearest;
}
