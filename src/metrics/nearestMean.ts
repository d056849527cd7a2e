import type { ClassSpace } from "./classSpace.ts";
import { squaredDistance } from "./kernels.ts";
import { SPLIT_ERROR } from "./lanes/byteProducts.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { rowNorms } from "./matrix.ts";
import { timesTransposed } from "./products.ts";
import type { Kernels } from "./wasm/kernels.ts";

/** The unit roundoff of float32. */
const ROUNDOFF = 2 ** -24;

/** Where features are measured from: the class means, or the mean of these. */
export type Origins = "means" | "global mean";

/** In which precision features are projected on the space of the class means: float64, float32, or as the bytes of float32. */
export type Precision = "float64" | "float32" | "bytes";

/** Decides for blocks of features which class mean is nearest. */
export interface NearestMeans {
  /** To be filled before `decide`: coordinates of the features of a block, from their origins (rows×K). */
  readonly coordinates: Float32Array;
  /** Where coordinates are taken in float64: room for those (rows×K), and what fills `coordinates` from it; returns `‖p‖²` (n). */
  readonly unrounded: Float64Array | null;
  round(count: number): Float64Array;
  /** Room for products of features with `(μ_c − μ_G)/λ_1` (rows×C): to be filled, too, where a block says how far they are off. */
  readonly products: Float32Array;
  /** Writes the classes to `nearest` (n), and returns the squared norms of the coordinates (n), until the next block. */
  decide(block: DecisionBlock, nearest: Int32Array): Promise<Float64Array>;
}

/** Features (n×D) with the row of the origins they are measured from and their distances from it squared (n each). */
interface DecisionBlock {
  readonly features: Reals;
  readonly rowOf: Int32Array;
  readonly squares: Float64Array;
  /** By how much `products` may be off (n), where they are filled. */
  readonly errors: Float32Array | null;
}

/** Returns how many bytes `nearestMeansIn` takes of the kernels' memory. */
export function bytesOfNearestMeans({ directions, means }: ClassSpace, origins: Origins, rows: number): number {
  const { rows: classes, columns: rank } = directions;
  return rows * (16 * rank + 4 * classes + 32) + 4 * classes * (origins === "means" ? means.rows : 1);
}

/**
 * Returns the decision of NC4 (Haas et al., Eq. 9), `argmin_c ‖h − μ_c‖₂`, the lowest class on ties, for blocks of up to
 * `rows` features. It is the largest of `(h − μ_G)·(μ_c − μ_G) − ‖μ_c − μ_G‖²/2`; all are divided by λ_1 to be near 1. Rough
 * products, where there are some, tell most samples; of the others float32 products tell the candidates, with a bound of what
 * their rounding may change; where more than one is left, differences are squared in float64, as they are. `projection` is the
 * precision in which coordinates were taken.
 */
export function nearestMeansIn(
  kernels: Kernels,
  space: ClassSpace,
  origins: Origins,
  rows: number,
  projection: Precision,
): NearestMeans {
  const { means, meanNorms, directions } = space;
  const { rows: classes, columns: rank } = directions;
  const largest = space.spectrum.eigenvalues[0];
  const offsets = offsetsOf(space, origins);
  const exact = projection === "float64";
  const coordinates = kernels.float32(rows * rank);
  const someCoordinates = exact ? null : kernels.float32(rows * rank);
  const products = kernels.float32(rows * classes);
  const origin = kernels.int32(rows);
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
  const everyRow = Int32Array.from({ length: rows }, (_, i) => i);

  return {
    coordinates,
    unrounded,
    round(count) {
      const squares = unroundedSquares.subarray(0, count);
      kernels.roundRows(unrounded!.subarray(0, count * rank), coordinates, squares);
      return squares;
    },
    products,
    async decide(block, nearest) {
      const count = nearest.length;
      const lengths = coordinateSquares.subarray(0, count);
      kernels.squareRows(coordinates.subarray(0, count * rank), lengths);
      const all = everyRow.subarray(0, count);
      const undecided = block.errors ? decideRoughly(block.rowOf, block.errors, nearest) : all;
      if (undecided.length > 0) await decideByCoordinates(undecided, block, lengths, nearest);
      return lengths;
    },
  };

  /** Writes the class of every sample, and returns those samples that may be nearer to another one. */
  function decideRoughly(rowOf: Int32Array, errors: Float32Array, nearest: Int32Array): Int32Array {
    origin.set(rowOf);
    margins.set(errors.map((error) => 2 * (error + always)));
    findNearest(nearest.length);
    nearest.set(found.subarray(0, nearest.length));
    return everyRow.subarray(0, nearest.length).filter((i) => candidates[i]! > 1);
  }

  async function decideByCoordinates(
    which: Int32Array,
    { features, rowOf, squares }: DecisionBlock,
    lengths: Float64Array,
    nearest: Int32Array,
  ): Promise<void> {
    const count = which.length;
    const located = { rows: count, columns: rank, values: coordinatesOf(which, nearest.length) };
    await timesTransposed(located, scores, products);
    which.forEach((i, at) => {
      const distance = Math.sqrt(squares[i]) + (origins === "means" ? meanNorms[rowOf[i]] : 0);
      margins[at] = 2 * (perCoordinate * Math.sqrt(lengths[i]) + perDistance * distance + always);
      origin[at] = rowOf[i];
    });
    findNearest(count);
    which.forEach((i, at) => {
      nearest[i] = candidates[at] > 1 ? nearestOf(means, features, i, candidatesIn(at)) : found[at];
    });
  }

  /** The coordinates of some of `count` samples, next to each other. */
  function coordinatesOf(which: Int32Array, count: number): Float32Array {
    if (which.length < count)
      which.forEach((i, at) => {
        someCoordinates!.set(coordinates.subarray(i * rank, (i + 1) * rank), at * rank);
      });
    return (which.length < count ? someCoordinates! : coordinates).subarray(0, which.length * rank);
  }

  function findNearest(count: number): void {
    const here = products.subarray(0, count * classes);
    kernels.nearestRows(here, origin.subarray(0, count), offsetsThere, margins, found, candidates);
  }

  function candidatesIn(at: number) {
    const least = products[at * classes + found[at]] - margins[at];
    return (c: number) => !(products[at * classes + c] < least);
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
  projection: Precision,
) {
  const { rows: classes, columns: rank } = directions;
  const largest = spectrum.eigenvalues[0];
  const longest = rowNorms(directions).reduce((most, norm) => Math.max(most, norm), 0) / largest;
  // at full rank what was dropped is rounding; otherwise it is a part of the means that the coordinates do not have
  const missing = spectrum.rank < Math.min(classes - 1, means.columns) ? spectrum.dropped : 0;
  const lost = (Math.sqrt(missing) + means.columns * Number.EPSILON * Math.sqrt(largest)) / largest;
  const projected = projectionBound(means.columns, projection) * reachOf(directions, whitening);
  let offset = 0;
  for (const value of offsets) offset = Math.max(offset, Math.abs(value));
  return {
    perCoordinate: (rank + 6) * ROUNDOFF * longest,
    perDistance: lost + projected / largest,
    always: 4 * ROUNDOFF * offset,
  };
}

/**
 * By how much `a·x` of D numbers may be off, per unit of `‖a‖ ‖x‖`. Of bytes, each number is off by SPLIT_ERROR of the largest, and
 * products below the last byte are left out.
 */
function projectionBound(dimensions: number, projection: Precision): number {
  if (projection === "float64") return 0;
  if (projection === "float32") return (dimensions + 4) * ROUNDOFF;
  return (dimensions + 2 * Math.sqrt(dimensions)) * SPLIT_ERROR * 1.01 + 16 * ROUNDOFF;
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
