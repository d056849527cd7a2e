import { CollapsarError } from "../../errors.ts";
import type { Reals } from "../matrix.ts";
import { indexOfNonFinite, requireRows } from "../samples.ts";
import { softmaxSums } from "../softmax.ts";

/** Logits (n×C, row-major) and labels (n, 0 to C−1) of n samples. */
export interface LabelledLogits {
  readonly logits: Reals;
  readonly labels: Int32Array;
}

/** What a softmax at some temperature says of labelled samples: means over them, and each one's confidence. */
export interface Forecasts {
  /** Negative log-likelihood `−1/n Σ_i log p_{i,y_i}`, in nats. */
  readonly nll: number;
  /** Brier's score `1/n Σ_i Σ_c (p_{i,c} − [c = y_i])²`, summed over all classes: 0 to 2 (Brier 1950). */
  readonly brier: number;
  /** `max_c p_c` of each sample. */
  readonly confidences: Float64Array;
  /** 1 where the largest logit (the lowest class on ties) is that of the label, else 0. */
  readonly hits: Uint8Array;
}

/**
 * Requires at least one sample, n×C logits, labels in range and finite logits; `part` names the samples in messages.
 * @throws CollapsarError `too-few-samples`, `shape-mismatch`, `label-out-of-range`, `non-finite-logit`.
 */
export function requireLabelledLogits({ logits, labels }: LabelledLogits, classes: number, part: string): void {
  if (labels.length === 0)
    throw new CollapsarError("too-few-samples", `the ${part} has 0 samples, expected at least 1`);
  requireRows(`logits of the ${part}`, logits.length, classes, labels);
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong >= 0)
    throw new CollapsarError(
      "label-out-of-range",
      `label ${labels[wrong]} of sample ${wrong} of the ${part} is out of range: 0 to ${classes - 1} was expected`,
    );
  const bad = indexOfNonFinite(logits);
  if (bad >= 0)
    throw new CollapsarError(
      "non-finite-logit",
      `logits of sample ${Math.floor(bad / classes)} of the ${part} are not all finite float32 numbers`,
    );
}

/** Returns the forecasts of `softmax(z/T)` for valid labelled logits, in one pass. */
export function forecasts({ logits, labels }: LabelledLogits, classes: number, temperature: number): Forecasts {
  const samples = labels.length;
  const confidences = new Float64Array(samples);
  const hits = new Uint8Array(samples);
  const inverseTemperature = 1 / temperature;
  let nll = 0;
  let brier = 0;
  for (let i = 0; i < samples; i++) {
    const { best, largest, others, squares } = softmaxSums(logits, i, classes, inverseTemperature);
    const sum = 1 + others;
    const behind = inverseTemperature * (logits[i * classes + labels[i]] - largest);
    nll += Math.log1p(others) - behind;
    confidences[i] = 1 / sum;
    if (labels[i] === best) {
      hits[i] = 1;
      brier += (others ** 2 + squares) / sum ** 2;
    } else {
      const own = Math.exp(behind);
      brier += ((sum - own) ** 2 + 1 + squares - own ** 2) / sum ** 2;
    }
  }
  return { nll: nll / samples, brier: brier / samples, confidences, hits };
}
