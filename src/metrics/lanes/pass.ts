import type { ClassSpace } from "../classSpace.ts";
import type { Matrix, Reals } from "../matrix.ts";
import { blockRows, placed, type Rows } from "../rows.ts";
import { openKernels } from "../wasm/kernels.ts";
import { type BlockScatterOrder, bytesOfBlockScatter } from "./blockScatter.ts";
import { CHECK_NUMBERS, checkedSamples, type Float32Check, sumOfChecks } from "./float32Check.ts";
import { type Lane, lanesFor } from "./lanes.ts";
import type { BlockWork } from "./work.ts";

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

/** Blocks of a lane: one at work while the next one is read. */
const BUFFERS = 2;

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
  await takeTurns(lanesFor(features), features, {
    ...sharedOrder(order),
    ...found,
    work: "scatter",
    rows,
    checked: order.precision === "float32" ? checkedSamples(rows, order.checkedShare) : null,
    checks,
  });
  return { ...found, check: sumOfChecks(checks) };
}

/** Has all blocks measured: each lane takes the next one as soon as it has room for it. */
async function takeTurns(
  lanes: readonly Lane[],
  features: Rows,
  order: Omit<BlockScatterOrder, "room">,
): Promise<void> {
  const { count, columns } = features;
  const { rows } = order;
  let next = 0;
  const measureIn = async (buffer: Uint8Array, work: BlockWork) => {
    while (next < count) {
      const start = next;
      const end = Math.min(start + rows, count);
      next = end;
      try {
        await work.measure(placed({ start, end, values: await features.read(start, end, () => buffer) }, buffer));
      } catch (error) {
        next = count; // nobody need go on
        throw error;
      }
    }
  };
  const ends = lanes.map(async (lane) => {
    const bytes = rows * columns * 8;
    const kernels = openKernels(BUFFERS * bytes + bytesOfBlockScatter(order));
    const buffers = Array.from({ length: BUFFERS }, () => kernels.bytes(bytes));
    const work = await lane.begin({ ...order, room: kernels.share() });
    const ended = await Promise.allSettled(buffers.map((buffer) => measureIn(buffer, work)));
    work.release();
    kernels.release();
    return ended;
  });
  for (const end of (await Promise.all(ends)).flat()) if (end.status === "rejected") throw end.reason;
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
