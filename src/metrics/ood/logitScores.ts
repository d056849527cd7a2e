import { CollapsarError } from "../../errors.ts";
import type { Reals } from "../matrix.ts";
import { blocksOf, type FeatureSet } from "../rows.ts";
import { indexOfNonFinite, nonFiniteLogit } from "../samples.ts";
import { softmaxSums } from "../softmax.ts";

/** The scores of logits, one number per sample each; higher means more out-of-distribution. */
export interface LogitScores {
  readonly softmax_entropy: Float64Array;
  readonly energy: Float64Array;
  readonly max_softmax: Float64Array;
}

/**
 * Returns for each of n samples, from their logits z (n×C) in one pass, with `p = softmax(z)`:
 * the softmax entropy `−Σ_c p_c log p_c`; the energy `−log Σ_c exp z_c` (Liu et al. 2020); and `−max_c p_c` (Hendrycks and
 * Gimpel 2017). The entropy is the sum of `log Σ exp(z − max z)` and of the mean distance below the largest logit: neither
 * is negative, so that no digits are lost however small it is. `start` is the index of the first sample.
 * @throws CollapsarError `shape-mismatch` where the logits are not n×C; `non-finite-logit` that names the sample.
 */
export function logitScores(logits: Reals, classes: number, start = 0): LogitScores {
  const samples = logits.length / classes;
  if (!Number.isInteger(samples))
    throw new CollapsarError(
      "shape-mismatch",
      `${logits.length} logits are no whole number of rows of ${classes} classes`,
    );
  const bad = indexOfNonFinite(logits);
  if (bad >= 0) throw nonFiniteLogit(start + Math.floor(bad / classes));
  const softmax_entropy = new Float64Array(samples);
  const energy = new Float64Array(samples);
  const max_softmax = new Float64Array(samples);
  for (let i = 0; i < samples; i++) {
    const { largest, others, first } = softmaxSums(logits, i, classes, 1);
    const logSum = Math.log1p(others);
    softmax_entropy[i] = logSum - first / (1 + others);
    energy[i] = -(largest + logSum);
    max_softmax[i] = -1 / (1 + others);
  }
  return { softmax_entropy, energy, max_softmax };
}

/** Returns that score of each of N samples; their logits are read in blocks. @throws as `logitScores`. */
export async function logitScore(name: keyof LogitScores, { logits, count }: FeatureSet): Promise<Float64Array> {
  const scores = new Float64Array(count);
  for await (const { start, values } of blocksOf(logits))
    scores.set(logitScores(values, logits.columns, start)[name], start);
  return scores;
}
