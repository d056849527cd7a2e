import { CollapsarError } from "../../errors.ts";
import { leastNormSolution } from "../decompositions/decompositions.ts";
import type { Matrix } from "../matrix.ts";
import { combination, toMatrix } from "../matrix.ts";
import { blocksOf, type FeatureSet, type Rows } from "../rows.ts";
import { logitScore } from "./logitScores.ts";
import { sampleCovariance, sampleMean } from "./moments.ts";
import { squaredNorm } from "./norms.ts";
import { offsetSpectrum } from "./offsetSpectrum.ts";
import type { FitScore } from "./scores.ts";
import { project, rankOf, rowsOf } from "./subspace.ts";

/**
 * Fits `vim`, virtual-logit matching (Wang et al., CVPR 2022): `α ‖R(h − o)‖ − logsumexp(z)`. The origin is `o = −W⁺ b`, R takes
 * what is left of the principal subspace of `1/N Σ_i (h_i−o)(h_i−o)ᵀ`, and α is the mean of the largest logits over the mean
 * of these norms, both over the whole training set. The virtual logit's softmax probability, which the paper has, ranks
 * alike.
 * @throws CollapsarError `zero-denominator` where the training features lie in the principal subspace.
 */
export const fitVim: FitScore = async ({ features, logits }, { moments, classifier }) => {
  const { columns } = features;
  const origin = await originOf(toMatrix(classifier.weight, columns), Float64Array.from(classifier.bias));
  const offset = combination([1, sampleMean(moments)], [-1, origin]);
  const covariance = await sampleCovariance(moments);
  const { values, vectors } = await offsetSpectrum(covariance, offset);
  const dimensions = principalDimensions(columns);
  const rank = rankOf(values, covariance);
  if (rank <= dimensions)
    throw new CollapsarError(
      "zero-denominator",
      `vim: the training features span ${rank} dimensions, all of them principal: more than ${dimensions} were expected`,
    );
  const residual = rowsOf(vectors, dimensions, columns);
  const norms = await residualNorms(features, origin, residual);
  const alpha = (await sumOfLargest(logits)) / norms.reduce((sum, norm) => sum + norm, 0);
  return {
    async score(set: FeatureSet) {
      const energy = await logitScore("energy", set);
      return (await residualNorms(set.features, origin, residual)).map((norm, i) => alpha * norm + energy[i]);
    },
  };
};

/** Where all logits are 0, or as near to it as W allows. */
async function originOf(weight: Matrix, bias: Float64Array): Promise<Matrix> {
  const solution = await leastNormSolution(weight, bias);
  return { rows: 1, columns: solution.length, values: solution.map((value) => -value) };
}

/** The paper's rule; of features with no more than that many dimensions half of these, as in pytorch-ood and OpenOOD. */
function principalDimensions(columns: number): number {
  const dimensions = columns > 1500 ? 1000 : 512;
  return columns > dimensions ? dimensions : Math.floor(columns / 2);
}

async function residualNorms(features: Rows, origin: Matrix, residual: Matrix): Promise<Float64Array> {
  const norms = new Float64Array(features.count);
  await project(features, origin, residual, (sample, i, projected) => {
    norms[sample] = Math.sqrt(squaredNorm(projected, i, residual.rows));
  });
  return norms;
}

async function sumOfLargest(logits: Rows): Promise<number> {
  const { columns } = logits;
  let total = 0;
  for await (const { start, end, values } of blocksOf(logits))
    for (let i = 0; i < end - start; i++) {
      let largest = values[i * columns];
      for (let c = 1; c < columns; c++) largest = Math.max(largest, values[i * columns + c]);
      total += largest;
    }
  return total;
}
