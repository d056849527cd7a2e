import type { ClassSpace } from "../classSpace.ts";
import { differencesIn } from "../differences.ts";
import type { Matrix, Reals } from "../matrix.ts";
import { type NearestMeans, nearestMeansIn, type Origins } from "../nearestMean.ts";
import { type Dense, timesTransposed } from "../products.ts";
import { joinKernels, type SharedKernels } from "../wasm/kernels.ts";
import { CHECK_NUMBERS, type CheckedSamples, float32CheckOf } from "./float32Check.ts";
import type { BlockWork, FeatureBlock } from "./work.ts";

/** In which precision features are projected on the space of the class means. All sums are float64. */
export type Precision = "float32" | "float64";

/** What is asked of every block, and where the answers go: all arrays are shared by the threads. */
export interface BlockScatterOrder {
  readonly work: "scatter";
  readonly space: ClassSpace;
  readonly precision: Precision;
  /** Features are measured from rows of `references` (R×D): `rowOf` (N) names that of each. */
  readonly origins: Origins;
  readonly references: Matrix;
  readonly rowOf: Int32Array;
  /** The most rows a block has, and the memory its features lie in. */
  readonly rows: number;
  readonly room: SharedKernels;
  /** `‖h − r‖²`, `‖A (h − r)‖²` and the class of the nearest mean of every feature (N each). */
  readonly squares: Float64Array;
  readonly whitened: Float64Array;
  readonly nearest: Int32Array;
  /** Of float32: which samples are checked, and what that gives for every block, CHECK_NUMBERS each. */
  readonly checked: CheckedSamples | null;
  readonly checks: Float64Array;
}

/** Returns how many bytes `blockScatter` takes of the memory of its order. */
export function bytesOfBlockScatter({ rows, references }: Pick<BlockScatterOrder, "rows" | "references">): number {
  return rows * (8 * references.columns + 12) + 8 * references.values.length;
}

/** Returns what measures the blocks of an order, bits that depend on nothing but the block. */
export function blockScatter(order: BlockScatterOrder): BlockWork {
  const { space, precision, origins, references, rows, room } = order;
  const kernels = joinKernels(room);
  const differences = differencesIn(kernels, references, { rows, precision });
  const means = nearestMeansIn(space, origins, rows, precision);
  const project = projectionOf(space, precision, means);
  const checked = order.checked && {
    ...order.checked,
    of: float32CheckOf(space.whitening, references, order.checked.rows),
  };
  const check = async ({ start, end, values: features }: FeatureBlock, differences: Float32Array) => {
    const at = start / rows;
    if (!checked || at % checked.every > 0) return;
    const rowOf = order.rowOf.subarray(start, Math.min(end, start + checked.rows));
    const part = (values: Float32Array, columns: number) => values.subarray(0, rowOf.length * columns);
    const { float32, float64, squares, rounding } = await checked.of({
      features,
      rowOf,
      differences: part(differences, references.columns),
      coordinates: part(means.coordinates, space.whitening.rows),
    });
    order.checks.set([float32, float64, squares, rounding], at * CHECK_NUMBERS);
  };
  return {
    async measure(featureBlock) {
      const { start, end, values } = featureBlock;
      const rowOf = order.rowOf.subarray(start, end);
      const { differences: from, squares } = differences(values, rowOf);
      order.squares.set(squares, start);
      const exact = await project(from);
      await check(featureBlock, from.values as Float32Array);
      const block = { features: values, rowOf, squares };
      const rounded = await means.decide(block, order.nearest.subarray(start, end));
      order.whitened.set(exact ?? rounded, start);
    },
    release: () => means.release(),
  };
}

/** Writes the coordinates of differences (n×D) where the decision finds them; returns `‖p‖²` of each (n) before rounding. */
type Projection = (differences: Dense<Reals>) => Promise<Float64Array | null>;

function projectionOf({ whitening }: ClassSpace, precision: Precision, means: NearestMeans): Projection {
  if (precision === "float32") {
    const rounded = { ...whitening, values: new Float32Array(whitening.values) };
    return async (differences) => {
      await timesTransposed(differences as Dense<Float32Array>, rounded, means.coordinates);
      return null;
    };
  }
  return async (differences) => {
    await timesTransposed(differences as Matrix, whitening, means.unrounded!);
    return means.round(differences.rows);
  };
}
