import type { ClassSpace } from "./classSpace.ts";
import type { Precision } from "./lanes/blockScatter.ts";
import { samplePass } from "./lanes/pass.ts";
import type { LabelledSet, Rows } from "./rows.ts";

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

/** The most that float32 may be off, one standard deviation. */
const MOST_NOISE = 3e-10;

/** Coordinates by which the rounding of A is estimated, those of samples from all of the set. */
const CHECKED_COORDINATES = 400_000;

/** The most that float32 may differ from float64 over the checked samples, relative. */
const TRUSTED = 1e-7;

/**
 * Returns the scatter of `set` about the means of `space`.
 *
 * Large sets are projected in float32, in half the time. The squares of the coordinates are summed in float64, so that the
 * rounding of single products averages out. That of the whitening matrix A does not; with `E = A − fl(A)` its share of the
 * sum, `Σ 2 Ar·Er`, is taken from some samples. An eighth of these is projected in float64, too: where the two precisions
 * differ by more than 1e-7 over them, float32 cannot carry these features, and everything is done in float64. Seen at 100,000×2,048 of
 * 1,000 classes: 5e-11 off float64.
 */
export async function scatterOf(
  set: LabelledSet,
  space: ClassSpace,
  precision: Precision = precisionFor(set.count, space.whitening),
): Promise<WithinClassScatter> {
  const { features, labels, count } = set;
  const found = await samplePass(features, {
    space,
    precision,
    origins: "means",
    references: space.means,
    rowOf: labels,
    checkedShare: Math.min(1, CHECKED_COORDINATES / (count * space.whitening.rows)),
  });
  const squares = new Float64Array(space.means.rows);
  let whitened = 0;
  for (let i = 0; i < count; i++) {
    squares[labels[i]] += found.squares[i];
    whitened += found.whitened[i];
  }
  if (precision === "float32") {
    const { float32, float64, rounding, squares: checked } = found.check;
    if (Math.abs(float32 / float64 - 1) > TRUSTED) return scatterOf(set, space, "float64");
    whitened *= 1 + rounding / checked;
  }
  return { squares, whitened, nearest: found.nearest };
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
  const references = { rows: 1, columns: globalMean.length, values: globalMean };
  const rowOf = new Int32Array(features.count);
  const order = { space, references, rowOf, checkedShare: 0 };
  return (await samplePass(features, { ...order, precision: "float64", origins: "global mean" })).nearest;
}
