import type { ClassSpace } from "../classSpace.ts";
import { differencesIn } from "../differences.ts";
import type { Matrix, Reals } from "../matrix.ts";
import {
  bytesOfNearestMeans,
  type NearestMeans,
  nearestMeansIn,
  type Origins,
  type Precision,
} from "../nearestMean.ts";
import { type Dense, timesTransposed } from "../products.ts";
import { joinKernels, type Kernels, type SharedKernels } from "../wasm/kernels.ts";
import { bytesOfProducts, FIRST_BYTE_ERROR, openByteProducts } from "./byteProducts.ts";
import { CHECK_NUMBERS, type CheckedSamples, float32CheckOf } from "./float32Check.ts";
import type { BlockWork, FeatureBlock } from "./work.ts";

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
export function bytesOfBlockScatter(order: Omit<BlockScatterOrder, "room">): number {
  const { rows, references, space, origins, precision } = order;
  const { means, whitening } = space;
  return (
    rows * (8 * references.columns + 12) +
    8 * references.values.length +
    bytesOfNearestMeans(space, origins, rows) +
    (precision === "bytes" ? bytesOfProducts(rows, whitening.rows, means.rows, means.columns) : 0)
  );
}

/** Returns what measures the blocks of an order, bits that depend on nothing but the block. */
export async function blockScatter(order: BlockScatterOrder): Promise<BlockWork> {
  const { space, precision, origins, references, rows, room } = order;
  const kernels = joinKernels(room);
  const rounding = precision === "float64" ? "float64" : "float32";
  const differences = differencesIn(kernels, references, { rows, precision: rounding });
  const means = nearestMeansIn(kernels, space, origins, rows, precision);
  const projection = await projectionOf(kernels, space, precision, means, rows);
  const checked = order.checked && {
    ...order.checked,
    of: float32CheckOf(space.whitening, projection.errors!, references, order.checked.rows),
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
      const { exact, errors } = await projection.of(from, squares);
      await check(featureBlock, from.values as Float32Array);
      const block = { features: values, rowOf, squares, errors };
      const rounded = await means.decide(block, order.nearest.subarray(start, end));
      order.whitened.set(exact ?? rounded, start);
    },
    release: projection.release,
  };
}

/** Writes the coordinates of differences (n×D) where the decision finds them. */
interface Projection {
  /** What the whitening matrix (K×D) lacks in the precision it is multiplied in, where that is not float64. */
  readonly errors: Float32Array | null;
  /**
   * Projects differences of these squared lengths (n). Returns `‖p‖²` of each (n) before rounding, where that is known, and by how much the
   * products for the decision are off (n), where these are written, too.
   */
  of(
    differences: Dense<Reals>,
    squares: Float64Array,
  ): Promise<{ exact: Float64Array | null; errors: Float32Array | null }>;
  release(): void;
}

async function projectionOf(
  kernels: Kernels,
  space: ClassSpace,
  precision: Precision,
  means: NearestMeans,
  rows: number,
): Promise<Projection> {
  const { whitening } = space;
  if (precision === "bytes") return byteProjection(kernels, space, means, rows);
  if (precision === "float32") {
    const rounded = { ...whitening, values: new Float32Array(whitening.values) };
    // `Float32Array.from` with a function takes 7 ms for 100×512
    return {
      errors: new Float32Array(whitening.values.map((value) => value - Math.fround(value))),
      release() {},
      async of(differences) {
        await timesTransposed(differences as Dense<Float32Array>, rounded, means.coordinates);
        return { exact: null, errors: null };
      },
    };
  }
  return {
    errors: null,
    release() {},
    async of(differences) {
      await timesTransposed(differences as Matrix, whitening, means.unrounded!);
      return { exact: means.round(differences.rows), errors: null };
    },
  };
}

async function byteProjection(
  kernels: Kernels,
  space: ClassSpace,
  means: NearestMeans,
  rows: number,
): Promise<Projection> {
  const { whitening, globalMean, meanNorms } = space;
  const { rows: rank, columns } = whitening;
  const largest = space.spectrum.eigenvalues[0];
  const scaled = space.means.values.map((mean, k) => (mean - globalMean[k % columns]) / largest);
  const products = await openByteProducts(kernels, rows, whitening, { ...space.means, values: scaled });
  const longest = most(meanNorms) / largest;
  const lost = products.roughError;
  return {
    errors: products.errors,
    release: products.release,
    async of({ rows: count, values }, squares) {
      const highest = await products.of(values as Float32Array, {
        exact: means.coordinates.subarray(0, count * rank),
        rough: means.products.subarray(0, count * space.means.rows),
      });
      // |m·e| + |f·x̃| of a mean m that lacks f and differences x̃ = x − e, and the rounding of the products and x
      const errors = highest.map((magnitude, i) => {
        const lacking = magnitude * FIRST_BYTE_ERROR * Math.sqrt(columns);
        const length = Math.sqrt(squares[i]);
        return lacking * longest + lost * (length + lacking) + 2 ** -20 * (length + lacking) * longest;
      });
      return { exact: null, errors };
    },
  };
}

function most(values: Float64Array): number {
  return values.reduce((highest, value) => Math.max(highest, value), 0);
}
