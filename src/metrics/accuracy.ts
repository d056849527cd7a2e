import type { Reals } from "./matrix.ts";
import { blocksOf, type Rows } from "./rows.ts";
import { indexOfNonFinite } from "./samples.ts";

/** What a network decided: `argmax_c z_c` per sample (N), and the first sample whose logits are not all finite, if any. */
export interface Predictions {
  readonly predictions: Int32Array;
  readonly nonFinite: number | null;
}

/** Returns the predictions of logits (N×C), the lowest class on ties. */
export async function predictionsOf(logits: Rows): Promise<Predictions> {
  const predictions = new Int32Array(logits.count);
  let nonFinite: number | null = null;
  for await (const { start, values } of blocksOf(logits)) {
    const bad = indexOfNonFinite(values);
    if (bad >= 0) nonFinite ??= start + Math.floor(bad / logits.columns);
    predictions.set(argmaxRows(values, logits.columns), start);
  }
  return { predictions, nonFinite };
}

/** Returns `argmax_c z_c` of each row of logits (n×C), the lowest class on ties. */
export function argmaxRows(logits: Reals, classes: number): Int32Array {
  const largest = new Int32Array(logits.length / classes);
  for (let i = 0; i < largest.length; i++) {
    const from = i * classes;
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[from + c] > logits[from + best]) best = c;
    largest[i] = best;
  }
  return largest;
}

/** Returns at how many places two lists of classes of the same length differ. */
export function countDifferent(a: Int32Array, b: Int32Array): number {
  let different = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) different++;
  return different;
}

/** Returns the share of predictions that equal their labels, of at least one. */
export function accuracy(predictions: Int32Array, labels: Int32Array): number {
  return (labels.length - countDifferent(predictions, labels)) / labels.length;
}
