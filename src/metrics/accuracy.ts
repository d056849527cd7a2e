import type { Reals } from "./matrix.ts";

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
