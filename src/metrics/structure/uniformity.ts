import { unitRows } from "../matrix.ts";
import { type Directions, forEachDistance, squaredDifference } from "./distances.ts";
import { type Measure, type Omitted, zeroVector } from "./measure.ts";

/** A coordinate of a unit vector is off by 4 roundings: those of the sum, the root, the reciprocal and the product. */
const ROUNDING_OF_UNITS = 8 * Number.EPSILON;

/** Mean and variance over pairs of directions of the logarithmic kernel. */
export interface Uniformity {
  readonly mean: Measure;
  readonly variance: Measure;
}

/**
 * Returns hyperspherical uniformity, GNC2 (Liu et al. 2023, arXiv 2303.06484), with the logarithmic kernel
 * `K(v, v') = −ln ‖v/‖v‖ − v'/‖v'‖‖` over all pairs of vectors: its mean, the hyperspherical energy, and its variance (over the
 * pairs, without Bessel's correction). Of the paper's kernels `‖·‖^−s` this is the one of s → 0: it has no parameter, while
 * s = D − 2, as neural-collapse has it, leaves the range of float64 in thousands of dimensions, and it still tells directions
 * that coincide, which s < 0 does not. `what` names the vectors where one is zero or two have one direction.
 */
export function logUniformity({ vectors, norms, cosines }: Directions, what: string): Uniformity {
  const zero = norms.indexOf(0);
  if (zero >= 0) return without(zeroVector(what, zero));
  const units = unitRows(vectors);
  const kernel: number[] = [];
  let parallel: string | null = null;
  forEachDistance(
    { norms: new Float64Array(norms.length).fill(1), cosines },
    (i, j) => squaredDifference(units, ROUNDING_OF_UNITS, i, j),
    (square, i, j) => {
      if (square === 0) parallel ??= `${what} has one direction for classes ${i} and ${j}: distinct ones were expected`;
      kernel.push(-Math.log(square) / 2);
    },
  );
  if (parallel !== null) return without({ reason: parallel });
  const mean = kernel.reduce((sum, value) => sum + value, 0) / kernel.length;
  return { mean, variance: kernel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / kernel.length };
}

function without(reason: Omitted): Uniformity {
  return { mean: reason, variance: reason };
}
