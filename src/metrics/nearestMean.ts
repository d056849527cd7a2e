import type { ClassSpace } from "./classSpace.ts";
import { squaredDistance } from "./kernels.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { rowNorms } from "./matrix.ts";
import { timesTransposed } from "./products.ts";
import { openKernels } from "./wasm/kernels.ts";

/** The unit roundoff of float32. */
const ROUNDOFF = 2 ** -24;

/** Where features are measured from: the class means, or the mean of these. */
export type Origins = "means" | "global mean";

/** Decides for blocks of features which class mean is nearest. */
export interface NearestMeans {
  /** To be filled before `decide`: coordinates of the features of a block, from their origins (rows×K). */
  readonly coordinates: Float32Array;
  /** Where coordinates are taken in float64: room for those (rows×K), and what fills `coordinates` from it; returns `‖p‖²` (n). */
  readonly unrounded: Float64Array | null;
  round(count: number): Float64Array;
  /** Writes the classes to `nearest` (n), and returns the squared norms of the coordinates (n), until the next block. */
  decide(block: DecisionBlock, nearest: Int32Array): Promise<Float64Array>;
  /** Gives the memory back: neither coordinates nor their norms may be touched any more. */
  release(): void;
}

/** Features (n×D) with the row of the origins they are measured from and their distances from it squared (n each). */
interface DecisionBlock {
  readonly features: Reals;
  readonly rowOf: Int32Array;
  readonly squares: Float64Array;
}

/**
 * Returns the decision of NC4 (Haas et al., Eq. 9), `argmin_c ‖h − μ_c‖₂`, the lowest class on ties, for blocks of up to
 * `rows` features. It is the largest of `(h − μ_G)·(μ_c − μ_G) − ‖μ_c − μ_G‖²/2`; all are divided by λ_1 to be near 1. float32
 * products tell the candidates, with a bound of what their rounding may change; where more than one is left, differences
 * are squared in float64, as they are. `projection` is the precision in which coordinates were taken.
 */
export function nearestMeansIn(
  space: ClassSpace,
  origins: Origins,
  rows: number,
  projection: "float32" | "float64",
): NearestMeans {
  const { means, meanNorms, directions } = space;
  const { rows: classes, columns: rank } = directions;
  const largest = space.spectrum.eigenvalues[0];
  const offsets = offsetsOf(space, origins);
  const exact = projection === "float64";
  const kernels = openKernels(rows * (4 * (rank + classes + 4) + (exact ? 8 * rank : 0) + 16) + 4 * offsets.length);
  const coordinates = kernels.float32(rows * rank);
  const products = kernels.float32(rows * classes);
  const rowsThere = kernels.int32(rows);
  const margins = kernels.float32(rows);
  const found = kernels.int32(rows);
  const candidates = kernels.int32(rows);
  const coordinateSquares = kernels.float64(rows);
  const unrounded = exact ? kernels.float64(rows * rank) : null;
  const unroundedSquares = kernels.float64(rows);
  const offsetsThere = kernels.float32(offsets.length);
  offsetsThere.set(offsets);
  const scores = { ...directions, values: new Float32Array(directions.values.length) };
  for (let k = 0; k < scores.values.length; k++) scores.values[k] = directions.values[k] / largest;
  const { perCoordinate, perDistance, always } = boundsOf(space, offsets, projection);

  return {
    coordinates,
    unrounded,
    round(count) {
      const squares = unroundedSquares.subarray(0, count);
      kernels.roundRows(unrounded!.subarray(0, count * rank), coordinates, squares);
      return squares;
    },
    async decide({ features, rowOf, squares }, nearest) {
      const count = nearest.length;
      const located = { rows: count, columns: rank, values: coordinates.subarray(0, count * rank) };
      const lengths = coordinateSquares.subarray(0, count);
      kernels.squareRows(located.values, lengths);
      const { values: here } = await timesTransposed(located, scores, products);
      rowsThere.set(rowOf);
      for (let i = 0; i < count; i++) {
        const distance = Math.sqrt(squares[i]) + (origins === "means" ? meanNorms[rowOf[i]] : 0);
        margins[i] = 2 * (perCoordinate * Math.sqrt(lengths[i]) + perDistance * distance + always);
      }
      kernels.nearestRows(here, rowsThere.subarray(0, count), offsetsThere, margins, found, candidates);
      nearest.set(found.subarray(0, count));
      for (let i = 0; i < count; i++)
        if (candidates[i] > 1) nearest[i] = nearestOf(means, features, i, candidatesIn(here, i, margins[i], found[i]));
      return lengths;
    },
    release: () => kernels.release(),
  };

  function candidatesIn(scores: Float32Array, i: number, margin: number, best: number) {
    const least = scores[i * classes + best] - margin;
    return (c: number) => !(scores[i * classes + c] < least);
  }
}

/** `((o − μ_G)·(μ_c − μ_G) − ‖μ_c − μ_G‖²/2)/λ_1` for every origin o and class c (R×C). */
function offsetsOf({ gram, spectrum }: ClassSpace, origins: Origins): Float32Array {
  const { rows: classes, values } = gram;
  const offsets = new Float32Array(origins === "means" ? values.length : classes);
  for (let at = 0; at < offsets.length; at++) {
    const product = origins === "means" ? values[at] : 0;
    offsets[at] = (product - values[(at % classes) * (classes + 1)] / 2) / spectrum.eigenvalues[0];
  }
  return offsets;
}

/**
 * By how much rounding may change a score: per unit of `‖p‖`, per unit of the distance from μ_G or of what the feature is
 * measured from, and in any case. `|fl(a·b) − a·b| ≤ (n + 2) u Σ|a_k b_k|` with both rounded to float32 (Higham 2002, §3.1).
 */
function boundsOf(
  { directions, whitening, means, spectrum }: ClassSpace,
  offsets: Float32Array,
  projection: "float32" | "float64",
) {
  const { rows: classes, columns: rank } = directions;
  const largest = spectrum.eigenvalues[0];
  const longest = rowNorms(directions).reduce((most, norm) => Math.max(most, norm), 0) / largest;
  // at full rank what was dropped is rounding; otherwise it is a part of the means that the coordinates do not have
  const missing = spectrum.rank < Math.min(classes - 1, means.columns) ? spectrum.dropped : 0;
  const lost = (Math.sqrt(missing) + means.columns * Number.EPSILON * Math.sqrt(largest)) / largest;
  const projected = projection === "float32" ? (means.columns + 4) * ROUNDOFF * reachOf(directions, whitening) : 0;
  let offset = 0;
  for (const value of offsets) offset = Math.max(offset, Math.abs(value));
  return {
    perCoordinate: (rank + 6) * ROUNDOFF * longest,
    perDistance: lost + projected / largest,
    always: 4 * ROUNDOFF * offset,
  };
}

/** `max_c Σ_k |b_ck| ‖a_k‖`. */
function reachOf(directions: Matrix, whitening: Matrix): number {
  const norms = rowNorms(whitening);
  const { rows, columns, values } = directions;
  let most = 0;
  for (let c = 0; c < rows; c++) {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += Math.abs(values[c * columns + k]) * norms[k];
    most = Math.max(most, sum);
  }
  return most;
}

function nearestOf(means: Matrix, features: Reals, i: number, isCandidate: (c: number) => boolean): number {
  let best = -1;
  let smallest = Number.POSITIVE_INFINITY;
  for (let c = 0; c < means.rows; c++) {
    if (!isCandidate(c)) continue;
    const distance = squaredDistance(means, c, features, i);
    if (best >= 0 && !(distance < smallest)) continue;
    best = c;
    smallest = distance;
  }
  return best;
}
