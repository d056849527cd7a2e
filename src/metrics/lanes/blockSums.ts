import { addCompensated } from "../compensated.ts";
import { joinKernels, type SharedKernels } from "../wasm/kernels.ts";
import type { BlockWork } from "./work.ts";

/** Sums per class of columns `from` to `to` (exclusive) of all features, in memory that the threads share. */
export interface BlockSumsOrder {
  readonly work: "sums";
  /** The memory in which the sums, their errors (C×D each), the labels (N) and features lie. */
  readonly room: SharedKernels;
  readonly sums: Float64Array;
  readonly errors: Float64Array;
  readonly labels: Int32Array;
  readonly dimensions: number;
  readonly from: number;
  readonly to: number;
}

/** Returns what adds the features of blocks to the sums of their classes. */
export function blockSums({ room, sums, errors, labels, dimensions, from, to }: BlockSumsOrder): BlockWork {
  const kernels = joinKernels(room);
  return {
    async measure({ start, end, values }) {
      const labelsOf = labels.subarray(start, end);
      if (values instanceof Float32Array) kernels.addRows(values, labelsOf, sums, errors, { from, to });
      else
        for (let i = 0; i < labelsOf.length; i++) {
          const at = labelsOf[i] * dimensions + from;
          addCompensated(sums, errors, at, values, i * dimensions + from, to - from);
        }
    },
    release() {},
  };
}
