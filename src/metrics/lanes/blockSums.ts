import { addCompensated } from "../compensated.ts";
import { joinKernels, type SharedKernels } from "../wasm/kernels.ts";
import type { BlockWork } from "./work.ts";

/** Sums per class of each part of a set: the first `partRows` samples, the next ones, and so on. */
export interface BlockSumsOrder {
  readonly work: "sums";
  /** The memory in which everything lies. */
  readonly room: SharedKernels;
  /** The sums of each part and their errors (C×D each), which may hold anything before its first block. */
  readonly parts: readonly PartSums[];
  readonly partRows: number;
  readonly labels: Int32Array;
  readonly classes: number;
  readonly dimensions: number;
  /** Room of this lane for the order of the rows of a block. */
  readonly order: Int32Array;
}

/** Compensated sums per class (C×D): `sums + errors`. */
export interface PartSums {
  readonly sums: Float64Array;
  readonly errors: Float64Array;
}

/** Returns what adds the features of blocks, each within one part and its first one before the others, to the sums of their classes. */
export function blockSums(given: BlockSumsOrder): BlockWork {
  const { room, parts, partRows, labels, classes, dimensions } = given;
  const kernels = joinKernels(room);
  return {
    async measure({ start, end, values }) {
      const labelsOf = labels.subarray(start, end);
      const { sums, errors } = parts[Math.floor(start / partRows)]!;
      if (start % partRows === 0) for (const values of [sums, errors]) values.fill(0);
      if (values instanceof Float32Array) {
        const order = given.order.subarray(0, labelsOf.length);
        sortByClass(labelsOf, classes, order);
        kernels.addRows(values, labelsOf, order, sums, errors);
      } else
        for (let i = 0; i < labelsOf.length; i++)
          addCompensated(sums, errors, labelsOf[i] * dimensions, values, i * dimensions, dimensions);
    },
    release() {},
  };
}

/** Writes the places of labels to `order`, the lowest class first, those of a class as they come. */
function sortByClass(labels: Int32Array, classes: number, order: Int32Array): void {
  const places = new Int32Array(classes + 1);
  for (const label of labels) places[label + 1]++;
  for (let c = 0; c < classes; c++) places[c + 1] += places[c];
  for (let i = 0; i < labels.length; i++) order[places[labels[i]]++] = i;
}
