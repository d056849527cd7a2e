import { CollapsarError } from "../errors.ts";
import { countDifferent, predictionsOf } from "./accuracy.ts";
import { centredMeans } from "./classMeans.ts";
import { type ClassSpace, classSpace } from "./classSpace.ts";
import { classSumsOf } from "./lanes/classSums.ts";
import type { Matrix, Reals } from "./matrix.ts";
import { requireDirections, rowNorms, toMatrix, zeros } from "./matrix.ts";
import type { CollapseMetricName } from "./names.ts";
import { equiangularOfCosines, equinorm } from "./nc2.ts";
import { nc3 } from "./nc3.ts";
import { timesTransposed } from "./products.ts";
import type { LabelledSet } from "./rows.ts";
import { nonFiniteLogit, requireLabels, requireShapes, requireWeight } from "./samples.ts";
import { scatterOf, type WithinClassScatter } from "./scatter.ts";

/** The metrics of a training set by API name; `sigma_b_condition` is the largest over the smallest kept eigenvalue. */
export type CollapseMetrics = Readonly<Record<CollapseMetricName, number>>;

/** The metrics, and what of the training set other measures are taken from. */
export interface Collapse {
  readonly values: CollapseMetrics;
  /** The class means μ_c and the space they span. */
  readonly space: ClassSpace;
  /** Ṁ, the means less their mean, and the weight W (C×D). */
  readonly centred: Matrix;
  readonly weight: Matrix;
  /** Cosines of the rows of Ṁ and of W (C×C). */
  readonly cosines: { readonly means: Matrix; readonly weight: Matrix };
  /** Samples per class (C). */
  readonly counts: Float64Array;
  readonly scatter: WithinClassScatter;
}

/**
 * Returns the Neural Collapse metrics of a training set for a classifier with this weight (C×D); its bias is in the logits.
 * Features are read twice, in blocks: for the class means, and for what is taken about them. No bit depends on where they
 * come from.
 * @throws CollapsarError `too-few-classes`, `shape-mismatch`, `label-out-of-range`, `non-finite-feature`,
 *   `non-finite-weight`, `non-finite-logit`, `missing-class`, `zero-denominator`, each naming the class or sample.
 */
export async function collapse(set: LabelledSet, classifier: { readonly weight: Reals }): Promise<Collapse> {
  const { columns: classes } = set.logits;
  const { columns: dimensions } = set.features;
  if (!(classes >= 2))
    throw new CollapsarError("too-few-classes", `there is ${classes} class: at least 2 were expected`);
  requireShapes(set, classes, dimensions);
  requireLabels(set.labels, classes);

  const [sums, { predictions, nonFinite }] = await Promise.all([classSumsOf(set), predictionsOf(set.logits)]);
  requireWeight(classifier.weight, classes, dimensions);
  // told once the weight is known to be finite: the logits show the effect, the weight the cause
  if (nonFinite !== null) throw nonFiniteLogit(nonFinite);

  const weight = toMatrix(classifier.weight, dimensions);
  const means = sums.means();
  const centred = centredMeans(means);
  requireDirections(centred, "the class means less the global mean are");
  requireDirections(weight, "the rows of weight are");
  const space = await classSpace(means, centred);
  // beside the lanes, which leave this thread free
  const [scatter, { cosines, values: geometry }] = await Promise.all([
    scatterOf(set, space),
    geometryOf(space, centred, weight),
  ]);

  const { spectrum } = space;
  const share = (count: number) => count / set.count;
  const values: CollapseMetrics = {
    nc1: share(scatter.whitened),
    ...geometry,
    nc4_error: share(countDifferent(scatter.nearest, set.labels)),
    nc4_mismatch: share(countDifferent(scatter.nearest, predictions)),
    train_accuracy: share(set.count - countDifferent(predictions, set.labels)),
    sigma_b_rank: spectrum.rank,
    sigma_b_condition: spectrum.eigenvalues[0] / spectrum.eigenvalues[spectrum.rank - 1],
    trace_sigma_w: share(sum(scatter.squares)),
    trace_sigma_b: sum(space.meanNorms.map((norm) => norm * norm)) / classes,
    samples: set.count,
  };
  return { values, space, centred, weight, cosines, counts: sums.counts, scatter };
}

/** NC2 and NC3, which the class means and the weight (C×D) tell without samples, and the cosines they come from. */
async function geometryOf(space: ClassSpace, centred: Matrix, weight: Matrix) {
  const cosines = {
    means: cosinesOf(space.gram, space.meanNorms),
    weight: cosinesOf(await timesTransposed(weight, weight), rowNorms(weight)),
  };
  const values = {
    nc2_equinorm_means: equinorm(centred),
    nc2_equinorm_classifiers: equinorm(weight),
    nc2_equiangular_means: equiangularOfCosines(cosines.means),
    nc2_equiangular_classifiers: equiangularOfCosines(cosines.weight),
    nc3: nc3(weight, centred),
  };
  return { cosines, values };
}

/** Returns the cosines of vectors (C×C) whose products with each other (C×C) and norms (C) are given. */
function cosinesOf({ rows, columns, values }: Matrix, norms: Float64Array): Matrix {
  const cosines = zeros(rows, columns);
  for (let a = 0, k = 0; a < rows; a++)
    for (let b = 0; b < columns; b++, k++) cosines.values[k] = values[k] / norms[a] / norms[b];
  return cosines;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
