import { CollapsarError } from "../../errors.ts";
import { ClassSums, centredMeans } from "../../metrics/classMeans.ts";
import type { Matrix, Reals } from "../../metrics/matrix.ts";
import { addRow, combination, requireDirections, toMatrix, zeros } from "../../metrics/matrix.ts";
import { addScatter, betweenClassSpectrum, nc1, nc1Gradient } from "../../metrics/nc1.ts";
import { equiangular, equiangularGradient, equinorm, equinormGradient } from "../../metrics/nc2.ts";
import { nc3, nc3Gradient } from "../../metrics/nc3.ts";
import { requireFiniteFeatures, requireLabels, requireRows, requireWeight } from "../../metrics/samples.ts";

/** The terms of the loss, by the API names of the metrics they are. */
export type NcLossTerm =
  | "nc1"
  | "nc2_equinorm_means"
  | "nc2_equinorm_classifiers"
  | "nc2_equiangular_means"
  | "nc2_equiangular_classifiers"
  | "nc3";

/** Gradients with respect to features (B×D) and weight (C×D), row-major float64. */
export interface NcLossGradients {
  readonly gradFeatures: Float64Array;
  readonly gradWeight: Float64Array;
}

/** The NC loss of a mini-batch, its terms and its gradients. */
export interface NcLoss extends NcLossGradients {
  readonly value: number;
  readonly terms: Readonly<Record<NcLossTerm, number>>;
}

/**
 * Returns the NC loss (Haas et al., section 3.1) of a mini-batch: the sum of Eq. 3 to 8 with no weights and no
 * cross-entropy, and its gradient in closed form. Features B×D, labels B, weight C×D. The terms of the means see the
 * classes present in the batch, Eq. 5 and 7 all classes; Σ_B† is differentiated at constant rank.
 * @throws CollapsarError `too-few-classes` below two classes in the batch; `shape-mismatch`, `label-out-of-range`,
 *   `non-finite-feature`, `non-finite-weight`, `zero-denominator`, each naming the sample or class.
 */
export function ncLoss(features: Reals, labels: Int32Array, weight: Reals, classes: number): NcLoss {
  const batch = centreBatch(features, labels, weight, classes);
  const parts = ncLossParts(batch);
  const terms = Object.fromEntries(Object.entries(parts).map(([name, { value }]) => [name, value]));
  return {
    value: Object.values(terms).reduce((sum, value) => sum + value, 0),
    terms: terms as Record<NcLossTerm, number>,
    ...gradientsOf(Object.values(parts), batch),
  };
}

/** A mini-batch as the terms of the loss see it, over the P classes it holds. */
export interface CentredBatch {
  /** The classes present, ascending, and how many samples each has. */
  readonly present: Int32Array;
  readonly counts: Float64Array;
  /** For each sample the index of its class in `present`. */
  readonly positions: Int32Array;
  /** The features (B×D) and their class means μ_c (P×D). */
  readonly features: Reals;
  readonly means: Matrix;
  /** `h_i − μ_y` (B×D), and the class means less their mean, Ṁ (P×D). */
  readonly residuals: Matrix;
  readonly centred: Matrix;
  /** All rows of W (C×D). */
  readonly weight: Matrix;
}

/** Returns the checked and centred batch; see `ncLoss`. */
export function centreBatch(features: Reals, labels: Int32Array, weight: Reals, classes: number): CentredBatch {
  const dimensions = weight.length / classes;
  requireWeight(weight, classes, dimensions);
  requireRows("features", features.length, dimensions, labels);
  requireLabels(labels, classes);
  requireFiniteFeatures(features, dimensions);
  const present = Int32Array.from(new Set(labels)).sort();
  if (present.length < 2)
    throw new CollapsarError("too-few-classes", `the batch holds ${present.length} class: at least 2 were expected`);
  const positions = labels.map((label) => present.indexOf(label));
  const sums = new ClassSums(present.length, dimensions);
  sums.add(features, positions);
  const means = sums.means();
  const residuals = toMatrix(features, dimensions);
  positions.forEach((position, i) => {
    addRow(residuals, i, -1, means, position);
  });
  const centred = centredMeans(means);
  const rows = toMatrix(weight, dimensions);
  requireDirections(centred, "the class means of the batch less their mean are", present);
  requireDirections(rows, "the rows of weight are");
  return { present, counts: sums.counts, positions, features, means, residuals, centred, weight: rows };
}

/** The value of a term, and its gradient with respect to those parts of the batch that it depends on. */
export interface NcLossPart {
  readonly value: number;
  readonly residuals?: Matrix;
  readonly centred?: Matrix;
  readonly weight?: Matrix;
}

/** Returns the terms of the loss with their gradients. */
export function ncLossParts(batch: CentredBatch): Readonly<Record<NcLossTerm, NcLossPart>> {
  const { centred, weight } = batch;
  // two centred means are opposite, so both terms are zero for any features: their slopes would be rounding noise
  const opposite = centred.rows === 2;
  return {
    nc1: variability(batch),
    nc2_equinorm_means: opposite ? { value: 0 } : { value: equinorm(centred), centred: equinormGradient(centred) },
    nc2_equinorm_classifiers: { value: equinorm(weight), weight: equinormGradient(weight) },
    nc2_equiangular_means: opposite
      ? { value: 0 }
      : { value: equiangular(centred), centred: equiangularGradient(centred) },
    nc2_equiangular_classifiers: { value: equiangular(weight), weight: equiangularGradient(weight) },
    nc3: selfDuality(batch),
  };
}

function variability({ features, positions, means, residuals, centred }: CentredBatch): NcLossPart {
  const spectrum = betweenClassSpectrum(centred);
  const scatter = { total: 0, whitened: 0 };
  addScatter(scatter, features, positions, means, spectrum);
  return { value: nc1(scatter, positions.length), ...nc1Gradient(residuals, centred, spectrum) };
}

/** Eq. 8 over the present rows of W. */
function selfDuality({ present, centred, weight }: CentredBatch): NcLossPart {
  const rows = zeros(present.length, weight.columns);
  present.forEach((c, position) => {
    addRow(rows, position, 1, weight, c);
  });
  const gradient = nc3Gradient(rows, centred);
  const gradWeight = zeros(weight.rows, weight.columns);
  present.forEach((c, position) => {
    addRow(gradWeight, c, 1, gradient, position);
  });
  return { value: nc3(rows, centred), centred: nc3Gradient(centred, rows), weight: gradWeight };
}

/** Returns the gradients of the sum of `parts`, carried through the centring of the batch. */
export function gradientsOf(parts: readonly NcLossPart[], batch: CentredBatch): NcLossGradients {
  const { positions, counts } = batch;
  const sum = (of: "residuals" | "centred" | "weight") => {
    const addends = parts.map((part) => part[of]).filter((gradient) => gradient !== undefined);
    const none = zeros(batch[of].rows, batch[of].columns);
    return combination([1, none], ...addends.map((gradient) => [1, gradient] as const));
  };
  // the residuals of a class sum to zero, so does their gradient in NC1, and nothing of it reaches the means
  const gradFeatures = sum("residuals");
  // centring is a symmetric projection, so a gradient goes back through it by being centred itself
  const gradMeans = centredMeans(sum("centred"));
  positions.forEach((position, i) => {
    addRow(gradFeatures, i, 1 / counts[position], gradMeans, position);
  });
  return { gradFeatures: gradFeatures.values, gradWeight: sum("weight").values };
}
