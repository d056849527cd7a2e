import { type ClassSpace, type NearestMeans, nearestMeansIn } from "./classSpace.ts";
import { differencesFrom } from "./differences.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { zeros } from "./matrix.ts";
import { timesTransposed } from "./products.ts";
import { blockRows, type LabelledSet, type Rows } from "./rows.ts";

/** What the second pass over a training set finds about its class means. */
export interface WithinClassScatter {
  /** Per class `Σ_{i∈c} ‖h_i − μ_c‖²` (C): their sum over N is Tr Σ_W. */
  readonly squares: Float64Array;
  /**
   * `Σ_i Σ_k (u_k·(h_i − μ_y))² / λ_k` with λ_k, u_k of `ṀᵀṀ`; over N it is NC1 (Haas et al., Eq. 3), `Tr(Σ_W Σ_B†)/C`: the C
   * of `Σ_B = ṀᵀṀ/C` and that of the definition cancel.
   */
  readonly whitened: number;
  /** The class of the nearest mean of every sample (N). */
  readonly nearest: Int32Array;
}

/**
 * Returns the scatter of `set` about the means of `space`. Everything that is summed is float64; float32 is used only to find
 * candidates for the nearest mean.
 */
export async function scatterOf(set: LabelledSet, space: ClassSpace): Promise<WithinClassScatter> {
  const squares = new Float64Array(space.means.rows);
  const nearest = new Int32Array(set.count);
  const decide = nearestMeansIn(space, space.coordinates, space.meanNorms, blockRows(set.features.columns));
  let whitened = 0;
  for await (const block of projections(set.features, space.means, set.labels, space)) {
    const labels = set.labels.subarray(block.start, block.end);
    for (let k = 0; k < block.projected.values.length; k++) whitened += block.projected.values[k] ** 2;
    for (let i = 0; i < labels.length; i++) squares[labels[i]] += block.squares[i];
    await decide({ ...block, rowOf: labels }, nearest.subarray(block.start, block.end));
  }
  return { squares, whitened, nearest };
}

/** Returns for each of N features the class of `space` whose mean is nearest (N), the lowest on ties. */
export async function nearestMeans(features: Rows, space: ClassSpace): Promise<Int32Array> {
  const { globalMean, whitening } = space;
  const nearest = new Int32Array(features.count);
  const rowOf = new Int32Array(features.count);
  const origin = { rows: 1, columns: globalMean.length, values: globalMean };
  const decide = nearestMeansIn(space, zeros(1, whitening.rows), new Float64Array(1), blockRows(features.columns));
  for await (const block of projections(features, origin, rowOf, space))
    await decide({ ...block, rowOf: rowOf.subarray(block.start, block.end) }, nearest.subarray(block.start, block.end));
  return nearest;
}

/** A block of features (n×D), their coordinates (n×rank) and squared distances (n), each from its row of the references. */
type Projection = Omit<Parameters<NearestMeans>[0], "rowOf"> & { readonly start: number; readonly end: number };

/** Yields the blocks of `features`, each feature less the row of `references` that `rowOf` names. */
async function* projections(
  features: Rows,
  references: Matrix,
  rowOf: Int32Array,
  { whitening }: ClassSpace,
): AsyncGenerator<Projection> {
  const differences = differencesFrom(references, features);
  const buffer = new Float64Array(Math.min(blockRows(features.columns), features.count) * whitening.rows);
  for await (const block of differences.blocks()) {
    const { differences: from, squares } = differences.of(block, rowOf);
    const projected = await timesTransposed(from, whitening, buffer);
    yield { start: block.start, end: block.end, features: block.values as Reals, projected, squares };
  }
}
