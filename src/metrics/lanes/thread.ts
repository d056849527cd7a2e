/** The program of a lane: it measures the blocks it is sent, in their order, and answers each message when that is done. */
import { parentPort } from "node:worker_threads";
import { timesTransposed } from "../products.ts";
import { type BlockScatter, type BlockScatterOrder, blockScatter, type FeatureBlock } from "./blockScatter.ts";

/** What a lane is told, about the pass of that number; to load what products take. */
export type LaneMessage =
  | { readonly kind: "load" }
  | { readonly kind: "begin"; readonly pass: number; readonly order: BlockScatterOrder }
  | { readonly kind: "measure"; readonly pass: number; readonly block: FeatureBlock }
  | { readonly kind: "end"; readonly pass: number };

const passes = new Map<number, BlockScatter>();
let last: Promise<unknown> = Promise.resolve();

parentPort!.on("message", ({ id, message }: { id: number; message: LaneMessage }) => {
  last = last
    .then(() => handle(message))
    .then(
      () => parentPort!.postMessage({ id }),
      (error) => parentPort!.postMessage({ id, error }),
    );
});

async function handle(message: LaneMessage): Promise<void> {
  if (message.kind === "load") await loadProducts();
  else if (message.kind === "begin") passes.set(message.pass, blockScatter(message.order));
  else if (message.kind === "measure") await passes.get(message.pass)!.measure(message.block);
  else {
    passes.get(message.pass)?.release();
    passes.delete(message.pass);
  }
}

async function loadProducts(): Promise<void> {
  for (const Values of [Float32Array, Float64Array]) {
    const one = { rows: 1, columns: 1, values: Values.of(1) };
    await timesTransposed(one, one);
  }
}
