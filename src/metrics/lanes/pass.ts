import type { ClassSpace } from "../classSpace.ts";
import type { Matrix, Reals } from "../matrix.ts";
import { blockRows, type Rows } from "../rows.ts";
import { openKernels } from "../wasm/kernels.ts";
import { type BlockScatterOrder, bytesOfBlockScatter } from "./blockScatter.ts";
import { CHECK_NUMBERS, checkedSamples, type Float32Check, sumOfChecks } from "./float32Check.ts";
import { lanesFor } from "./lanes.ts";
import { takeTurns, turnsOf } from "./turns.ts";

/** What is found about every feature of a set, N numbers each. */
export interface SampleScatter extends Pick<BlockScatterOrder, "squares" | "whitened" | "nearest"> {
  /** How float32 fared, where it was asked for. */
  readonly check: Float32Check;
}

/** What a pass over features is asked for. */
export interface PassOrder extends Pick<BlockScatterOrder, "space" | "precision" | "origins" | "references" | "rowOf"> {
  /** The share of the features by which float32 is checked. */
  readonly checkedShare: number;
}

/** Returns what is found about `features` (N×D), block by block; no bit of it depends on the number of lanes. */
export async function samplePass(features: Rows, order: PassOrder): Promise<SampleScatter> {
  const { count, columns } = features;
  const found = {
    squares: shared(Float64Array, count),
    whitened: shared(Float64Array, count),
    nearest: shared(Int32Array, count),
  };
  const rows = Math.min(blockRows(columns), count);
  const checks = shared(Float64Array, CHECK_NUMBERS * Math.ceil(count / rows));
  await measureAll(features, {
    ...sharedOrder(order),
    ...found,
    work: "scatter",
    rows,
    checked: order.precision !== "float64" ? checkedSamples(rows, order.checkedShare) : null,
    checks,
  });
  return { ...found, check: sumOfChecks(checks) };
}

async function measureAll(features: Rows, order: Omit<BlockScatterOrder, "room">): Promise<void> {
  const bytes = order.rows * features.columns * 8;
  const rooms = lanesFor(features).map((lane) => ({
    lane,
    kernels: openKernels(2 * bytes + bytesOfBlockScatter(order)),
  }));
  const stations = await Promise.all(
    rooms.map(async ({ lane, kernels }) => {
      const buffers = [kernels.bytes(bytes), kernels.bytes(bytes)] as const;
      return { buffers, work: await lane.begin({ ...order, room: kernels.share() }) };
    }),
  );
  try {
    await takeTurns(features, turnsOf(features, order.rows), stations);
  } finally {
    for (const { work } of stations) work.release();
    for (const { kernels } of rooms) kernels.release();
  }
}

/** Returns an order whose arrays threads need not copy. */
function sharedOrder(order: PassOrder): PassOrder {
  const share = (matrix: Matrix): Matrix => ({ ...matrix, values: sharedCopy(Float64Array, matrix.values) });
  const { space } = order;
  const [means, gram, whitening] = [space.means, space.gram, space.whitening].map(share) as [Matrix, Matrix, Matrix];
  const directions = space.directions === space.gram ? gram : share(space.directions);
  const references = order.references === space.means ? means : share(order.references);
  const there: ClassSpace = { ...space, means, gram, whitening, directions };
  return { ...order, space: there, references, rowOf: sharedCopy(Int32Array, order.rowOf) };
}

type Shareable<T> = new (buffer: SharedArrayBuffer) => T;

function shared<T extends Reals | Int32Array>(
  Numbers: Shareable<T> & { readonly BYTES_PER_ELEMENT: number },
  length: number,
): T {
  return new Numbers(new SharedArrayBuffer(length * Numbers.BYTES_PER_ELEMENT));
}

function sharedCopy<T extends Reals | Int32Array>(
  Numbers: Shareable<T> & { readonly BYTES_PER_ELEMENT: number },
  values: T,
): T {
  const copy = shared(Numbers, values.length);
  copy.set(values);
  return copy;
}
