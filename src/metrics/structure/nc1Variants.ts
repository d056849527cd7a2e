import type { Matrix } from "../matrix.ts";
import { forEachDistance, squaredDifference } from "./distances.ts";
import type { Measure } from "./measure.ts";

/** Each of two class means is off by up to 1 ε of itself. */
const ROUNDING_OF_MEANS = 2 * Number.EPSILON;

/**
 * Returns NC1 by the C−1 leading singular directions of Σ_B (Han, Papyan and Donoho 2022, arXiv 2106.02073):
 * `Tr(Σ_W Σ_k≤C−1 u_k u_kᵀ/σ_k)/C`. Where Σ_B has rank C−1, in `rank`, these are all that `nc1` inverts, and the values are the
 * same. Where it has not, a singular value that is zero would be inverted too, and what comes out is rounding.
 */
export function nc1Svd(nc1: number, rank: number, classes: number): Measure {
  if (rank === classes - 1) return nc1;
  return {
    reason: `Σ_B has rank ${rank}: ${classes - 1} non-zero singular values were expected, one less than classes`,
  };
}

/** Returns NC1 as quotient of traces (Tirer, Huang and Niles-Weed 2023): `Tr Σ_W / Tr Σ_B`. */
export function nc1Quotient(traceWithin: number, traceBetween: number): Measure {
  if (traceBetween === 0) return { reason: "all class means are equal: a trace of Σ_B above 0 was expected" };
  return traceWithin / traceBetween;
}

/** Class means μ_c (C×D), and norms (C) and cosines (C×C) of `μ_c − μ_G`, by which their distances are told. */
export interface PlacedMeans {
  readonly means: Matrix;
  readonly norms: Float64Array;
  readonly cosines: Matrix;
}

/**
 * Returns the class-distance normalised variance (Galanti, György and Hutter 2022, arXiv 2112.15121), the mean over pairs of
 * classes of `(v_c + v_c') / (2 ‖μ_c − μ_c'‖²)`, with the variances `v_c = 1/n_c Σ_{i∈c} ‖h_i − μ_c‖²` (C).
 */
export function nc1Cdnv({ means, norms, cosines }: PlacedMeans, variances: Float64Array): Measure {
  let sum = 0;
  let equal: string | null = null;
  forEachDistance(
    { norms, cosines },
    (i, j) => squaredDifference(means, ROUNDING_OF_MEANS, i, j),
    (square, i, j) => {
      if (square === 0) equal ??= `the means of classes ${i} and ${j} are equal: a distance above 0 was expected`;
      sum += (variances[i] + variances[j]) / (2 * square);
    },
  );
  return equal === null ? sum / ((means.rows * (means.rows - 1)) / 2) : { reason: equal };
}
