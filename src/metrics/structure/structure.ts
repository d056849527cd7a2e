import type { Collapse } from "../collapse.ts";
import { symmetricEigenvalues } from "../eigenvalues.ts";
import type { Matrix } from "../matrix.ts";
import { rowNorms } from "../matrix.ts";
import { timesTransposed } from "../products.ts";
import type { Directions } from "./distances.ts";
import { cosineDuality } from "./duality.ts";
import { effectiveRank } from "./effectiveRank.ts";
import { type Measures, type Omitted, sortMeasures, zeroVector } from "./measure.ts";
import { nc1Cdnv, nc1Quotient, nc1Svd } from "./nc1Variants.ts";
import { simplexEtfError } from "./simplexEtf.ts";
import { logUniformity } from "./uniformity.ts";

/** Cosines are stored for up to this many classes: a plot of more shows nothing, and 1,000 make 8 MB a matrix. */
export const MOST_PLOTTED_CLASSES = 100;

/** Measures of the structure beside NC1 to NC4, and what is plotted; a matrix is null where `omitted` says why. */
export interface Structure extends Measures {
  /** Per class `1/n_c Σ_{i∈c} ‖h_i − μ_c‖²`, the trace of its covariance (C). */
  readonly withinClassVariance: Float64Array;
  /** Per class `‖μ_c − μ_G‖²` (C). */
  readonly betweenClassSquare: Float64Array;
  /** Cosines of the centred means and of the rows of W (C×C), for up to `MOST_PLOTTED_CLASSES` classes. */
  readonly cosines: { readonly means: Matrix | null; readonly weight: Matrix | null };
}

const MEANS = "the class mean less the global mean";
const CLASSIFIERS = "the row of weight";

/**
 * Returns the further measures of Neural Collapse, named by variant; docs/metrics.md tells what each is. One that has a zero
 * denominator is omitted with the reason, the others are kept. Nothing here goes over samples or takes a D×D matrix.
 */
export async function structure({
  values,
  space,
  centred,
  weight,
  cosines,
  counts,
  scatter,
}: Collapse): Promise<Structure> {
  const { means, spectrum } = space;
  const classes = means.rows;
  const ofMeans = { vectors: centred, norms: rowNorms(centred), cosines: cosines.means };
  const ofWeight = { vectors: weight, norms: rowNorms(weight), cosines: cosines.weight };
  const products = { means: gram(ofMeans), weight: gram(ofWeight), both: await timesTransposed(weight, centred) };

  const withinClassVariance = scatter.squares.map((square, c) => square / counts[c]);
  const betweenClassSquare = ofMeans.norms.map((norm) => norm * norm);
  const cdnv = nc1Cdnv({ ...ofMeans, means }, withinClassVariance);
  // equal means have one direction, also where rounding makes two of it
  const uniformMeans = typeof cdnv === "number" ? logUniformity(ofMeans, MEANS) : { mean: cdnv, variance: cdnv };
  const uniformWeight = logUniformity(ofWeight, CLASSIFIERS);
  const duality = cosineDuality(weight, centred);
  const unplotted = { means: whyUnplotted(ofMeans.norms, MEANS), weight: whyUnplotted(ofWeight.norms, CLASSIFIERS) };

  return {
    ...sortMeasures({
      nc1_svd: nc1Svd(values.nc1, spectrum.rank, classes),
      nc1_quot: nc1Quotient(values.trace_sigma_w, values.trace_sigma_b),
      nc1_cdnv: cdnv,
      nc2_etf_means: simplexEtfError(products.means, "ṀṀᵀ"),
      nc2_etf_classifiers: simplexEtfError(products.weight, "WWᵀ"),
      nc3_etf: simplexEtfError(products.both, "WṀᵀ"),
      nc3_cosine: duality.mean,
      unc3: duality.variance,
      gnc2_log_means: uniformMeans.mean,
      gnc2_log_variance_means: uniformMeans.variance,
      gnc2_log_classifiers: uniformWeight.mean,
      gnc2_log_variance_classifiers: uniformWeight.variance,
      effective_rank_means: effectiveRank(spectrum.eigenvalues, "Ṁ"),
      effective_rank_classifiers: effectiveRank(symmetricEigenvalues(products.weight), "W"),
      ...(unplotted.means && { cosines_means: unplotted.means }),
      ...(unplotted.weight && { cosines_classifiers: unplotted.weight }),
    }),
    withinClassVariance,
    betweenClassSquare,
    cosines: { means: unplotted.means ? null : cosines.means, weight: unplotted.weight ? null : cosines.weight },
  };
}

/** Returns the products of all vectors with each other (C×C) from their norms and cosines. */
function gram({ norms, cosines }: Directions): Matrix {
  const { rows } = cosines;
  const values = cosines.values.map((cosine, k) => {
    const scale = norms[Math.floor(k / rows)] * norms[k % rows];
    return scale === 0 ? 0 : scale * cosine;
  });
  return { ...cosines, values };
}

/** Returns why the cosines of vectors with these norms (C) are not stored, or null where they are. */
function whyUnplotted(norms: Float64Array, what: string): Omitted | null {
  const { length: classes } = norms;
  if (classes > MOST_PLOTTED_CLASSES)
    return { reason: `there are ${classes} classes: cosines are stored for up to ${MOST_PLOTTED_CLASSES}` };
  const zero = norms.indexOf(0);
  return zero < 0 ? null : zeroVector(what, zero);
}
