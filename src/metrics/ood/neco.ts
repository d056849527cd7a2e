import { CollapsarError } from "../../errors.ts";
import { spectrumOf } from "../decompositions/decompositions.ts";
import type { Matrix } from "../matrix.ts";
import { zeros } from "../matrix.ts";
import { sampleCovariance, sampleMean } from "./moments.ts";
import { squaredNorm } from "./norms.ts";
import type { FitScore } from "./scores.ts";
import { project, rankOf, rowsOf } from "./subspace.ts";

/**
 * Fits `neco` (Ammar et al., ICLR 2024, Eq. 6): `−‖P x‖ / ‖x‖`, the share of a feature that lies in the principal subspace of
 * the training features, negated. `x = (h − m)/s` is standardised, dimension by dimension, with the mean and the standard
 * deviation (1/N) of the training set; P projects on the C−1 principal components of these, the dimension of a simplex
 * equiangular tight frame. Not multiplied by the largest logit, as the authors do it for ResNets.
 * @throws CollapsarError `zero-denominator` where these are all dimensions; scoring, that names a sample without a direction.
 */
export const fitNeco: FitScore = async (_train, { moments }) => {
  const { rows: classes, columns } = moments.means;
  if (classes > columns)
    throw new CollapsarError(
      "zero-denominator",
      `neco: ${classes - 1} principal components are all of ${columns} dimensions, so that nothing is left of any feature`,
    );
  const mean = sampleMean(moments);
  const covariance = await sampleCovariance(moments);
  const scale = deviations(covariance, mean.values);
  const correlation = standardised(covariance, scale);
  const { values, vectors } = await spectrumOf(correlation);
  const principal = rowsOf(vectors, 0, Math.min(classes - 1, rankOf(values, correlation)));
  // the scale of x is in the directions
  const directions = { ...principal, values: principal.values.map((value, k) => value / scale[k % columns]) };
  return {
    async score({ features, count }) {
      const scores = new Float64Array(count);
      await project(features, mean, directions, (sample, i, projected, centred) => {
        const whole = scaledNorm(centred, i, scale);
        if (whole === 0)
          throw new CollapsarError(
            "zero-denominator",
            `neco: the features of sample ${sample} are the mean of the training features, which has no direction`,
          );
        scores[sample] = -Math.sqrt(squaredNorm(projected, i, directions.rows)) / whole;
      });
      return scores;
    },
  };
};

/** Standard deviations (D), 1 where a dimension is constant but for the rounding of its mean. */
function deviations({ columns, values }: Matrix, mean: Float64Array): Float64Array {
  return mean.map((value, d) => {
    const deviation = Math.sqrt(values[d * columns + d]);
    return deviation <= 4 * Number.EPSILON * Math.abs(value) ? 1 : deviation;
  });
}

function standardised({ rows, columns, values }: Matrix, scale: Float64Array): Matrix {
  const result = zeros(rows, columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result.values[i * columns + j] = values[i * columns + j] / (scale[i] * scale[j]);
  return result;
}

function scaledNorm(centred: Float64Array, i: number, scale: Float64Array): number {
  const from = i * scale.length;
  let square = 0;
  for (let d = 0; d < scale.length; d++) square += (centred[from + d] / scale[d]) ** 2;
  return Math.sqrt(square);
}
