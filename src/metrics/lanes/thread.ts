/** The program of a lane: it does what it is told, in that order, and answers each message when that is done. */
import { parentPort } from "node:worker_threads";
import { symmetricEigenvalues } from "../eigenvalues.ts";
import type { Matrix } from "../matrix.ts";
import { timesTransposed } from "../products.ts";
import type { FilePlace } from "../rows.ts";
import { measureFile, type Turns } from "./turns.ts";
import { type BlockWork, type FeatureBlock, type Order, workOf } from "./work.ts";

/** What a lane is told: to load what products take, to measure a block or those of a file for the pass of that number, or to take eigenvalues. */
export type LaneMessage =
  | { readonly kind: "load" }
  | { readonly kind: "begin"; readonly pass: number; readonly order: Order }
  | { readonly kind: "measure"; readonly pass: number; readonly block: FeatureBlock }
  | ({ readonly kind: "file"; readonly pass: number } & FileMessage)
  | { readonly kind: "end"; readonly pass: number }
  | { readonly kind: "eigenvalues"; readonly matrix: Matrix };

interface FileMessage {
  readonly place: FilePlace;
  readonly turns: Turns;
  readonly buffer: Uint8Array;
}

/** What it says to the message of that number. */
export interface LaneAnswer {
  readonly id: number;
  readonly answer?: Float64Array;
  readonly error?: Error;
}

const passes = new Map<number, BlockWork>();
let last: Promise<unknown> = Promise.resolve();

parentPort!.on("message", ({ id, message }: { id: number; message: LaneMessage }) => {
  const answer = (answer: LaneAnswer) => parentPort!.postMessage(answer);
  const done = message.kind === "file" ? measureBlocksOf(message) : inTurn(() => handle(message));
  done.then(
    (values) => answer(values ? { id, answer: values } : { id }),
    (error) => answer({ id, error }),
  );
});

/** One thing after the other. */
function inTurn<T>(task: () => Promise<T>): Promise<T> {
  const done = last.then(task);
  last = done.catch(() => {});
  return done;
}

/** Other passes come in between its blocks. */
async function measureBlocksOf({ pass, place, turns, buffer }: FileMessage & { pass: number }): Promise<undefined> {
  await measureFile(place, turns, buffer, (block) => inTurn(() => passes.get(pass)!.measure(block)));
}

async function handle(message: Exclude<LaneMessage, { kind: "file" }>): Promise<Float64Array | undefined> {
  switch (message.kind) {
    case "load":
      await loadProducts();
      return;
    case "begin":
      passes.set(message.pass, await workOf(message.order));
      return;
    case "measure":
      await passes.get(message.pass)!.measure(message.block);
      return;
    case "end":
      passes.get(message.pass)?.release();
      passes.delete(message.pass);
      return;
    case "eigenvalues":
      return symmetricEigenvalues(message.matrix);
  }
}

async function loadProducts(): Promise<void> {
  for (const Values of [Float32Array, Float64Array]) {
    const one = { rows: 1, columns: 1, values: Values.of(1) };
    await timesTransposed(one, one);
  }
}
