import { CollapsarError } from "../../errors.ts";
import type { Matrix, Reals } from "../matrix.ts";
import { zeros } from "../matrix.ts";
import { blocksOf } from "../rows.ts";
import { distancesToNeighbour } from "./neighbours.ts";
import { squaredNorm } from "./norms.ts";
import type { FitScore } from "./scores.ts";

/** The paper's k for CIFAR-10, and OpenOOD's. */
const NEIGHBOURS = 50;

/** With how many features the training set is read once: of 2,048 dimensions these take 0.2 GB. */
const SCORED_ROWS = 8192;

/**
 * Fits `knn` (Sun et al., ICML 2022): the Euclidean distance of `h/‖h‖` to the 50th nearest `h_i/‖h_i‖` of the training set.
 * @throws CollapsarError `too-few-samples` where the training set is smaller; scoring, `zero-denominator` that names a sample
 *   whose features are zero.
 */
export const fitKnn: FitScore = async ({ features, labels, count }, { moments }) => {
  if (count < NEIGHBOURS)
    throw new CollapsarError(
      "too-few-samples",
      `knn: the training set has ${count} samples, at least ${NEIGHBOURS} were expected`,
    );
  const training = {
    labels,
    centres: directionsOf(moments.means),
    async *blocks(size: number) {
      for await (const { start, values } of blocksOf(features, size))
        yield { start, units: unitFeatures(values, features.columns, start, "training sample") };
    },
  };
  return {
    async score(set) {
      const scores = new Float64Array(set.count);
      for await (const { start, values } of blocksOf(set.features, SCORED_ROWS)) {
        const units = unitFeatures(values, set.features.columns, start, "sample");
        scores.set(await distancesToNeighbour(units, training, NEIGHBOURS), start);
      }
      return scores;
    },
  };
};

/** `h/‖h‖` of features (n×D), the first of them being number `first` of what `what` names. */
function unitFeatures(features: Reals, columns: number, first: number, what: string): Matrix {
  const units = zeros(features.length / columns, columns);
  for (let i = 0; i < units.rows; i++) {
    const norm = Math.sqrt(squaredNorm(features, i, columns));
    if (norm === 0)
      throw new CollapsarError("zero-denominator", `knn: the features of ${what} ${first + i} are zero: no direction`);
    for (let at = i * columns; at < (i + 1) * columns; at++) units.values[at] = features[at] / norm;
  }
  return units;
}

/** Rows divided by their norms; a zero row stays. */
function directionsOf({ rows, columns, values }: Matrix): Matrix {
  const norms = Float64Array.from({ length: rows }, (_, i) => Math.sqrt(squaredNorm(values, i, columns)) || 1);
  return { rows, columns, values: values.map((value, k) => value / norms[Math.floor(k / columns)]) };
}
