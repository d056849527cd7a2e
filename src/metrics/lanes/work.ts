import type { Reals } from "../matrix.ts";
import type { FilePlace } from "../rows.ts";
import { type BlockScatterOrder, blockScatter } from "./blockScatter.ts";
import { type BlockSumsOrder, blockSums } from "./blockSums.ts";
import type { Turns } from "./turns.ts";

/** Features `start` to `end` (exclusive) of the set: in the memory of the order where they are float32. */
export interface FeatureBlock {
  readonly start: number;
  readonly end: number;
  readonly values: Reals;
}

/** What is done with blocks one after the other, in one thread. */
export interface BlockWork {
  measure(block: FeatureBlock): Promise<void>;
  release(): void;
}

/** The same of a lane, which may read files by itself: it measures blocks as long as there are any. */
export interface LaneWork extends BlockWork {
  measureFile?(place: FilePlace, turns: Turns, buffer: Uint8Array): Promise<void>;
}

/** A pass over blocks. */
export type Order = BlockScatterOrder | BlockSumsOrder;

/** Returns what does the work of an order. */
export async function workOf(order: Order): Promise<BlockWork> {
  return order.work === "sums" ? blockSums(order) : blockScatter(order);
}
