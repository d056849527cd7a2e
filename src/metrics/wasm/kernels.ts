import { KERNELS_BASE64 } from "./binary.ts";

const PAGE_BYTES = 65_536;
const ALIGNMENT = 16;

/** Compiled once; instances share the code and have memories of their own. */
let compiled: WebAssembly.Module | undefined;

/**
 * The passes over float32 features that take time besides the products, with SIMD: 17 and 9 ms for 50,000×512, in JavaScript
 * 42 and 25. All arrays are row-major views of one memory, from `bytes`, `int32` and `float64`.
 */
export interface Kernels {
  bytes(length: number): Uint8Array;
  int32(length: number): Int32Array;
  float64(length: number): Float64Array;
  /** Adds features (n×D) to the sums (C×D) of their labels (n), and the rounding error of each addition to `errors` (C×D). */
  addRows(features: Float32Array, labels: Int32Array, sums: Float64Array, errors: Float64Array): void;
  /**
   * Writes `h − r` to `residuals` (n×D) and `‖h − r‖²` to `squares` (n), h each of the features (n×D) and r the row of
   * `references` (R×D) that its label (n) names.
   */
  subtractRows(
    features: Float32Array,
    labels: Int32Array,
    references: Float64Array,
    residuals: Float64Array,
    squares: Float64Array,
  ): void;
}

/** Returns kernels with room for arrays of `capacity` bytes together. @throws RangeError where there is no such memory. */
export function openKernels(capacity: number): Kernels {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNELS_BASE64, "base64"));
  // each array may lose up to ALIGNMENT bytes; a page has room for thousands of them
  const memory = new WebAssembly.Memory({ initial: Math.ceil(capacity / PAGE_BYTES) + 1 });
  const { exports } = new WebAssembly.Instance(compiled, { host: { memory } });
  const { addRows, subtractRows } = exports as Record<"addRows" | "subtractRows", (...pointers: number[]) => void>;
  let used = 0;
  const allocate = (length: number) => {
    const at = used;
    used += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    return at;
  };
  return {
    bytes: (length) => new Uint8Array(memory.buffer, allocate(length), length),
    int32: (length) => new Int32Array(memory.buffer, allocate(4 * length), length),
    float64: (length) => new Float64Array(memory.buffer, allocate(8 * length), length),
    addRows(features, labels, sums, errors) {
      const rows = labels.length;
      const views = [sums, errors].map(({ byteOffset }) => byteOffset);
      addRows(features.byteOffset, labels.byteOffset, rows, features.length / rows, ...views);
    },
    subtractRows(features, labels, ...arrays) {
      const rows = labels.length;
      const views = arrays.map(({ byteOffset }) => byteOffset);
      subtractRows(features.byteOffset, labels.byteOffset, rows, features.length / rows, ...views);
    },
  };
}
