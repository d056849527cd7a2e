import { blockMemory } from "./blockMemory.ts";
import type { Reals } from "./matrix.ts";
import type { Rows } from "./rows.ts";
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
  const memory = blockMemory(logits, { perRow: 1 });
  const found = memory.kernels.int32(memory.rows);
  for await (const { start, end, values } of memory.blocks()) {
    const largest = found.subarray(0, end - start);
    const bad =
      values instanceof Float32Array ? memory.kernels.argmaxRows(values, largest) : argmaxFinite(values, largest);
    if (bad >= 0) nonFinite ??= start + bad;
    predictions.set(largest, start);
  }
  memory.kernels.release();
  return { predictions, nonFinite };
}

/** Writes the predictions of logits (n×C) to `largest` (n), and returns the first row that is not finite, or −1. */
function argmaxFinite(logits: Reals, largest: Int32Array): number {
  const classes = logits.length / largest.length;
  largest.set(argmaxRows(logits, classes));
  const bad = indexOfNonFinite(logits);
  return bad < 0 ? bad : Math.floor(bad / classes);
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
