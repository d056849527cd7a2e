import type { Matrix } from "../matrix.ts";
import { type Dense, timesTransposed } from "../products.ts";
import { squaredDistance } from "./norms.ts";

/** Training features of norm 1, in blocks; their labels (N); and one vector per class that is near those of the class (C×D). */
export interface UnitFeatures {
  blocks(size: number): AsyncIterable<{ readonly start: number; readonly units: Matrix }>;
  readonly labels: Int32Array;
  readonly centres: Matrix;
}

/** Training features of a block, and features compared with them by one product. */
const BLOCK_ROWS = 4096;
const CHUNK_ROWS = 256;

/**
 * Returns the distance of each row of `units` (n×D, norm 1) to the k-th nearest training feature (n), as if all distances were
 * taken in float64. A training feature is `v = c + r`, c the centre of its class, so that `‖u−v‖² = 2 − 2 u·c − 2 u·r`: the first
 * product is float64, the second float32, and its rounding is bounded by a multiple of ‖r‖, which is the less the more a
 * network has collapsed. What this bound does not rule out is taken as a float64 difference.
 */
export async function distancesToNeighbour(units: Matrix, training: UnitFeatures, k: number): Promise<Float64Array> {
  const { rows, columns } = units;
  const { labels, centres } = training;
  const toCentres = (await timesTransposed(units, centres)).values.map((product) => 2 - 2 * product);
  const rounded = Float32Array.from(units.values);
  const products = new Float32Array(CHUNK_ROWS * BLOCK_ROWS);
  const nearest = new Float64Array(rows * k).fill(Number.POSITIVE_INFINITY);
  const candidatesOf = candidateSearch(k);
  for await (const { start, units: others } of training.blocks(BLOCK_ROWS)) {
    const block = residualsOf(others, labels.subarray(start, start + others.rows), centres);
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const to = Math.min(from + CHUNK_ROWS, rows);
      const chunk = { rows: to - from, columns, values: rounded.subarray(from * columns, to * columns) };
      await timesTransposed(chunk, block.residuals, products);
      for (let i = from; i < to; i++) {
        const known = nearest.subarray(i * k, (i + 1) * k);
        const toCentre = toCentres.subarray(i * centres.rows, (i + 1) * centres.rows);
        const row = products.subarray((i - from) * others.rows, (i - from + 1) * others.rows);
        for (const j of candidatesOf(known, toCentre, row, block))
          insert(known, squaredDistance(units.values, i, others.values, j, columns));
      }
    }
  }
  return Float64Array.from({ length: rows }, (_, i) => Math.sqrt(nearest[(i + 1) * k - 1]));
}

/** Training features (m) less the centres of their classes. */
interface Residuals {
  /** Rows of the block in the order of their classes (m), and where each class begins in it (C+1). */
  readonly order: Int32Array;
  readonly begins: Int32Array;
  /** `r` in that order (m×D), by how much squared distances may be wrong (m), and by how much in each class (C). */
  readonly residuals: Dense<Float32Array>;
  readonly bounds: Float64Array;
  readonly classBounds: Float64Array;
}

function residualsOf({ rows, columns, values }: Matrix, labels: Int32Array, centres: Matrix): Residuals {
  const { order, begins } = orderByClass(labels, centres.rows);
  const residuals = new Float32Array(values.length);
  const bounds = new Float64Array(rows);
  const classBounds = new Float64Array(centres.rows);
  // of u·r: (D + 3) 2⁻²⁴ ‖r‖ to first order (Higham 2002, §3.1), with the rounding of u and r to float32; and of all in float64
  const [single, double] = [1.01 * (columns + 4) * 2 ** -24, (columns + 16) * Number.EPSILON];
  order.forEach((row, j) => {
    const c = labels[row];
    let square = 0;
    for (let d = 0; d < columns; d++) {
      const residual = values[row * columns + d] - centres.values[c * columns + d];
      residuals[j * columns + d] = residual;
      square += residual * residual;
    }
    bounds[j] = 2 * (single * Math.sqrt(square) + double);
    classBounds[c] = Math.max(classBounds[c], bounds[j]);
  });
  return { order, begins, residuals: { rows, columns, values: residuals }, bounds, classBounds };
}

function orderByClass(labels: Int32Array, classes: number): Pick<Residuals, "order" | "begins"> {
  const begins = new Int32Array(classes + 1);
  for (const label of labels) begins[label + 1]++;
  for (let c = 0; c < classes; c++) begins[c + 1] += begins[c];
  const next = begins.slice();
  const order = new Int32Array(labels.length);
  labels.forEach((label, row) => {
    order[next[label]++] = row;
  });
  return { order, begins };
}

/**
 * Returns what finds the rows of a block that may be among the k nearest, given the squared distances of the k nearest before
 * (rising), `2 − 2 u·c` (C) and `u·r` (m). Its answer stands until the next. Nearly all pairs end at the first comparison,
 * which is therefore of one product with one number.
 */
function candidateSearch(k: number) {
  const found = new Int32Array(BLOCK_ROWS);
  const least = new Float64Array(BLOCK_ROWS);
  const most = new Float64Array(k);
  return (
    known: Float64Array,
    toCentres: Float64Array,
    products: Float32Array,
    { order, begins, bounds, classBounds }: Residuals,
  ): Int32Array => {
    most.set(known);
    let count = 0;
    for (let c = 0; c < toCentres.length; c++) {
      const end = begins[c + 1];
      const nearEnough = () => (toCentres[c] - classBounds[c] - most[k - 1]) / 2;
      let threshold = nearEnough();
      for (let j = begins[c]; j < end; j++) {
        if (!(products[j] >= threshold)) continue;
        const square = toCentres[c] - 2 * products[j];
        least[count] = square - bounds[j];
        found[count++] = order[j];
        insert(most, square + bounds[j]);
        threshold = nearEnough();
      }
    }
    let kept = 0;
    for (let f = 0; f < count; f++) if (least[f] <= most[k - 1]) found[kept++] = found[f];
    return found.subarray(0, kept);
  };
}

/** Puts a number in its place among rising ones, of which the largest goes, or nowhere where it is larger than all. */
function insert(rising: Float64Array, value: number): void {
  let at = rising.length - 1;
  if (!(value < rising[at])) return;
  for (; at > 0 && rising[at - 1] > value; at--) rising[at] = rising[at - 1];
  rising[at] = value;
}
