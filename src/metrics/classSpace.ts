import { squaredDistance } from "./kernels.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { rowNorms, scaleRow, transposed } from "./matrix.ts";
import { type GramSpectrum, gramSpectrum } from "./nc1.ts";
import { type Dense, timesTransposed, transposedTimes } from "./products.ts";

/**
 * The space that the centred class means Ṁ span, in coordinates in which Σ_B is the identity up to 1/C: with `ṀṀᵀ = Q Λ Qᵀ`
 * the coordinates of x are `p_k = u_k·x / √λ_k`, and those of `μ_c − μ_G` the entries `q_kc` of the eigenvectors. What NC1 and
 * the nearest class mean need of a feature is in its few coordinates; the rest of it is at the same distance from every mean.
 */
export interface ClassSpace {
  readonly spectrum: GramSpectrum;
  /** Class means μ_c (C×D) and their mean μ_G (D). */
  readonly means: Matrix;
  readonly globalMean: Float64Array;
  /** `‖μ_c − μ_G‖` (C). */
  readonly meanNorms: Float64Array;
  /** Rows `u_k/√λ_k` (rank×D), which take x to its coordinates. */
  readonly whitening: Matrix;
  /** Coordinates of `μ_c − μ_G` (C×rank). */
  readonly coordinates: Matrix;
  readonly decision: Decision;
}

/** What decides which mean is nearest: the largest of `p·d_c − t_c`, both divided by λ_1 to be near 1. */
interface Decision {
  /** `d_c = Λ q_c / λ_1` (C×rank). */
  readonly directions: Dense<Float32Array>;
  /** `t_c = q_cᵀ Λ q_c / (2 λ_1)` (C): half the squared norm of the centred mean. */
  readonly thresholds: Float64Array;
  /** `max_c ‖d_c‖`. */
  readonly longest: number;
  /** Per unit of ‖x‖, what the eigenvalues that count as zero and the rounding of the coordinates may change. */
  readonly lost: number;
}

/** Returns the space of class means (C×D) with these centred means Ṁ (C×D, not all zero). */
export async function classSpace(means: Matrix, centred: Matrix): Promise<ClassSpace> {
  const spectrum = gramSpectrum(await timesTransposed(centred, centred));
  const coordinates = transposed(spectrum.vectors);
  const whitening = await transposedTimes(coordinates, centred);
  spectrum.eigenvalues.forEach((value, k) => {
    scaleRow(whitening, k, 1 / value);
  });
  const globalMean = means.values.subarray(0, means.columns).map((mean, d) => mean - centred.values[d]);
  const decision = decisionOf(spectrum, coordinates, means);
  return { spectrum, means, globalMean, meanNorms: rowNorms(centred), whitening, coordinates, decision };
}

function decisionOf({ rank, eigenvalues, dropped }: GramSpectrum, { rows, values }: Matrix, means: Matrix): Decision {
  const largest = eigenvalues[0];
  const directions = Float32Array.from(values, (q, at) => (eigenvalues[at % rank] / largest) * q);
  const thresholds = new Float64Array(rows);
  let longest = 0;
  for (let c = 0; c < rows; c++) {
    let square = 0;
    for (let k = 0; k < rank; k++) {
      thresholds[c] += ((eigenvalues[k] / largest) * values[c * rank + k] ** 2) / 2;
      square += directions[c * rank + k] ** 2;
    }
    longest = Math.max(longest, Math.sqrt(square));
  }
  // at full rank what was dropped is rounding; otherwise it is a part of the means that the coordinates do not have
  const missing = rank < Math.min(rows - 1, means.columns) ? dropped : 0;
  const lost = (Math.sqrt(missing) + means.columns * Number.EPSILON * Math.sqrt(largest)) / largest;
  return { directions: { rows, columns: rank, values: directions }, thresholds, longest, lost };
}

/** Writes to `nearest` (n) for each feature of a block the class whose mean is nearest. */
export type NearestMeans = (
  block: {
    /** Features (n×D). */
    readonly features: Reals;
    /** Their coordinates (n×rank) and squared distances (n), from the origin that `rowOf` (n) names for each. */
    readonly projected: Matrix;
    readonly squares: Float64Array;
    readonly rowOf: Int32Array;
  },
  nearest: Int32Array,
) => Promise<void>;

/**
 * Returns the decision of NC4 (Haas et al., Eq. 9), `argmin_c ‖h − μ_c‖₂`, the lowest class on ties, for blocks of up to
 * `rows` features. The origins they are measured from have these coordinates (R×rank) and distances (R) from μ_G. float32
 * products tell the candidates, with a bound of what their rounding may change; where more than one is left, differences
 * are squared in float64, as they are.
 */
export function nearestMeansIn(
  { means, decision }: ClassSpace,
  origins: Matrix,
  originNorms: Float64Array,
  rows: number,
): NearestMeans {
  const { directions, thresholds, longest, lost } = decision;
  const { rows: classes, columns: rank } = directions;
  const coordinates = new Float32Array(rows * rank);
  const lengths = new Float64Array(rows);
  const products = new Float32Array(rows * classes);
  // |fl(p·d) − p·d| ≤ (rank + 2) 2⁻²⁴ ‖p‖ ‖d‖ (Higham 2002, §3.1), with the rounding of both to float32
  const rounding = (rank + 4) * 2 ** -24 * longest;

  function locate({ values }: Matrix, rowOf: Int32Array): void {
    for (let i = 0; i < rowOf.length; i++) {
      const from = i * rank;
      const origin = rowOf[i] * rank;
      let square = 0;
      for (let k = 0; k < rank; k++) {
        const p = values[from + k] + origins.values[origin + k];
        coordinates[from + k] = p;
        square += p * p;
      }
      lengths[i] = Math.sqrt(square);
    }
  }

  return async ({ features, projected, squares, rowOf }, nearest) => {
    locate(projected, rowOf);
    const located = { rows: nearest.length, columns: rank, values: coordinates.subarray(0, nearest.length * rank) };
    await timesTransposed(located, directions, products);
    for (let i = 0; i < nearest.length; i++) {
      const from = i * classes;
      let best = 0;
      let highest = products[from] - thresholds[0];
      let second = Number.NEGATIVE_INFINITY;
      for (let c = 1; c < classes; c++) {
        const score = products[from + c] - thresholds[c];
        if (score > highest) {
          second = highest;
          highest = score;
          best = c;
        } else if (score > second) second = score;
      }
      const distance = Math.sqrt(squares[i]) + originNorms[rowOf[i]];
      const margin = 2 * (rounding * lengths[i] + lost * distance);
      if (highest - second > margin) nearest[i] = best;
      else {
        const candidate = (c: number) => !(highest - (products[from + c] - thresholds[c]) > margin);
        nearest[i] = nearestOf(means, features, i, candidate);
      }
    }
  };
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
