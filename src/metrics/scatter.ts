import { type ClassSpace, findNearest } from "./classSpace.ts";
import { subtractRows } from "./kernels.ts";
import type { Reals } from "./matrix.ts";
import { timesTransposed } from "./products.ts";
import { blocksOf, type LabelledSet, type RowBlock, type Rows } from "./rows.ts";

/** What the second pass over a training set finds about its class means. */
export interface WithinClassScatter {
  /** Per class `Σ_{i∈c} ‖h_i − μ_c‖²` (C): their sum over N is Tr Σ_W. */
  readonly squares: Float64Array;
  /**
   * `Σ_i Σ_k (u_k·(h_i − μ_y))² / λ_k` with λ_k, u_k of `ṀᵀṀ`; over N it is NC1 (Haas et al., Eq. 3), `Tr(Σ_W Σ_B†)/C`: the C
   * of `Σ_B = ṀᵀṀ/C` and that of the definition cancel.
   */
  readonly whitened: number;
  /** The class of the nearest mean of every sample (N). */
  readonly nearest: Int32Array;
}

/** Residuals `h − μ_y` of a block (n×D) and their squared norms (n). */
interface Residuals {
  readonly values: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Returns the scatter of `set` about the means of `space`. While the products of one block run, the residuals of the next are
 * taken: everything that is summed is float64, and float32 is used only to find candidates for the nearest mean.
 */
export async function scatterOf(set: LabelledSet, space: ClassSpace): Promise<WithinClassScatter> {
  const { rows: classes } = space.means;
  const squares = new Float64Array(classes);
  const nearest = new Int32Array(set.count);
  const whitened = { sum: 0 };
  const buffers: Residuals[] = [];
  let turn = 0;
  let running: Promise<void> = Promise.resolve();
  for await (const block of blocksOf(set.features)) {
    const labels = set.labels.subarray(block.start, block.end);
    const residuals = subtractMeans(block, labels, space, buffers, turn++ % 2);
    labels.forEach((label, i) => {
      squares[label] += residuals.squares[i];
    });
    await running;
    running = addBlock(block.values, labels, residuals, space, whitened, nearest.subarray(block.start, block.end));
    running.catch(() => {}); // reported where it is awaited
  }
  await running;
  return { squares, whitened: whitened.sum, nearest };
}

/** Two blocks are at work at a time, so two buffers serve all of them; the first block is the largest. */
function subtractMeans(
  { start, end, values }: RowBlock,
  labels: Int32Array,
  { means }: ClassSpace,
  buffers: Residuals[],
  turn: number,
): Residuals {
  buffers[turn] ??= { values: new Float64Array(values.length), squares: new Float64Array(end - start) };
  const residuals = {
    values: buffers[turn].values.subarray(0, values.length),
    squares: buffers[turn].squares.subarray(0, end - start),
  };
  subtractRows(values, means, labels, residuals.values, residuals.squares);
  return residuals;
}

async function addBlock(
  features: Reals,
  labels: Int32Array,
  residuals: Residuals,
  space: ClassSpace,
  whitened: { sum: number },
  nearest: Int32Array,
): Promise<void> {
  const { whitening, coordinates: ofMeans, means } = space;
  const rank = whitening.rows;
  const count = labels.length;
  const fromOwnMean = await timesTransposed(
    { rows: count, columns: means.columns, values: residuals.values },
    whitening,
  );
  const coordinates = new Float32Array(count * rank);
  const norms = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const from = i * rank;
    const mean = labels[i] * rank;
    let sum = 0;
    for (let k = 0; k < rank; k++) {
      const p = fromOwnMean.values[from + k];
      sum += p * p;
      coordinates[from + k] = p + ofMeans.values[mean + k];
    }
    whitened.sum += sum;
    norms[i] = Math.sqrt(residuals.squares[i]) + space.meanNorms[labels[i]];
  }
  await findNearest(
    space,
    { features, coordinates: { rows: count, columns: rank, values: coordinates }, norms },
    nearest,
  );
}

/** Returns for each of N features the class of `space` whose mean is nearest (N), the lowest on ties. */
export async function nearestMeans(features: Rows, space: ClassSpace): Promise<Int32Array> {
  const { whitening, globalMean } = space;
  const nearest = new Int32Array(features.count);
  const reference = { rows: 1, columns: globalMean.length, values: globalMean };
  for await (const { start, end, values } of blocksOf(features)) {
    const count = end - start;
    const centred = new Float64Array(values.length);
    const squares = new Float64Array(count);
    subtractRows(values, reference, new Int32Array(count), centred, squares);
    const projected = await timesTransposed({ rows: count, columns: globalMean.length, values: centred }, whitening);
    const coordinates = { ...projected, values: Float32Array.from(projected.values) };
    const norms = squares.map(Math.sqrt);
    await findNearest(space, { features: values, coordinates, norms }, nearest.subarray(start, end));
  }
  return nearest;
}
