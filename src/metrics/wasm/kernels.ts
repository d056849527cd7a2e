import { KERNELS_BASE64 } from "./binary.ts";

const PAGE_BYTES = 65_536;
const MOST_PAGES = 65_536;
const ALIGNMENT = 16;

/** Compiled once; instances share the code and have memories of their own. */
let compiled: WebAssembly.Module | undefined;

/**
 * Memories that nobody uses any more: a new one costs 4 ms per 10 MB, for each page is mapped and zeroed when it is first
 * touched. Together they have at most so many bytes.
 */
const idle: WebAssembly.Memory[] = [];
const MOST_IDLE_BYTES = 2 ** 27;

/**
 * The passes over features and products that take time besides the products themselves, with SIMD: sums and differences
 * take 17 and 9 ms for 50,000×512, in JavaScript 42 and 25. All arrays are row-major views of one memory, from `bytes`,
 * `int32`, `float32` and `float64`; whatever they hold at first means nothing.
 */
export interface Kernels {
  bytes(length: number): Uint8Array;
  int32(length: number): Int32Array;
  float32(length: number): Float32Array;
  float64(length: number): Float64Array;
  /**
   * Adds features (n×D) in the order of `order` (n) to the sums (C×D) of their labels (n), and the rounding error of each
   * addition to `errors` (C×D). Four of a class that follow each other are added up first, in float64.
   */
  addRows(
    features: Float32Array,
    labels: Int32Array,
    order: Int32Array,
    sums: Float64Array,
    errors: Float64Array,
  ): void;
  /**
   * Writes `h − r` to `residuals` (n×D), rounded at the end where these are float32, and `‖h − r‖²` to `squares` (n), h each
   * of the features (n×D) and r the row of `references` (R×D) that its label (n) names.
   */
  subtractRows(
    features: Float32Array,
    labels: Int32Array,
    references: Float64Array,
    residuals: Float64Array | Float32Array,
    squares: Float64Array,
  ): void;
  /** Writes rows (n×K) rounded to float32 to `rounded`, and `‖x‖²` of each before that to `squares` (n). */
  roundRows(values: Float64Array, rounded: Float32Array, squares: Float64Array): void;
  /** Writes `‖x‖²` of each row (n×K) to `squares` (n). */
  squareRows(values: Float32Array, squares: Float64Array): void;
  /**
   * Writes each row (n×D) as `scale · (65,536 a + 256 b + c)` with bytes a, b and c, 128 added to each: a to `one` (n×D), a and then b to
   * `two` (n×2D), all of them to `three` (n×3D), and the scale to `scales` (n). It is off by half a scale at most.
   */
  splitRows(values: Float32Array, one: Uint8Array, two: Uint8Array, three: Uint8Array, scales: Float32Array): void;
  /**
   * Writes `s t (65,536 one + 256 two + three)` to `products` (n×K), s being the scale of the row (n) and t that of the column (K); or
   * `s t 65,536 one`.
   */
  joinProducts(parts: ProductParts, scales: Float32Array, columnScales: Float32Array, products: Float32Array): void;
  /**
   * Writes the place of the largest number of each row (n×C) to `largest` (n), the first of equal ones. Returns the first row
   * with a number that is not finite, or −1; the rows after it are not looked at.
   */
  argmaxRows(values: Float32Array, largest: Int32Array): number;
  /**
   * Adds to each row of `products` (n×C) the row of `offsets` (R×C) that `rowOf` (n) names; writes the class of the largest
   * sum to `nearest` (n), and to `candidates` (n) how many are within `margins` (n) of it.
   */
  nearestRows(
    products: Float32Array,
    rowOf: Int32Array,
    offsets: Float32Array,
    margins: Float32Array,
    nearest: Int32Array,
    candidates: Int32Array,
  ): void;
  /** Writes `A v` (n) to `products`, A being the symmetric leading n×n part of `matrix`, of which the lower triangle is read. */
  symmetricProduct(matrix: Float64Array, columns: number, vector: Float64Array, products: Float64Array): void;
  /** Takes `u vᵀ + v uᵀ` (u, v of n numbers) off the same part of `matrix`. */
  subtractProducts(matrix: Float64Array, columns: number, u: Float64Array, v: Float64Array): void;
  /** Returns what another thread opens kernels on the same memory with; its arrays come after those of now. */
  share(): SharedKernels;
  /** Gives the memory back, for others to use: no array of it may be touched any more. */
  release(): void;
}

/** A memory of kernels, and how many of its bytes are in use. */
export interface SharedKernels {
  readonly memory: WebAssembly.Memory;
  readonly used: number;
}

/** Sums of products of bytes (n×K each), by what they count. */
export interface ProductParts {
  readonly one: Int32Array;
  readonly two?: Int32Array;
  readonly three?: Int32Array;
}

type Name =
  | "addRows"
  | "subtractRows"
  | "subtractRowsRounded"
  | "roundRows"
  | "squareRows"
  | "splitRows"
  | "joinProducts"
  | "argmaxRows"
  | "nearestRows";
type Functions = Record<Name | "symmetricProduct" | "subtractProducts", (...numbers: number[]) => number>;

/** Returns kernels with room for arrays of `capacity` bytes together. @throws RangeError where there is no such memory. */
export function openKernels(capacity: number): Kernels {
  // each array may lose up to ALIGNMENT bytes; a page has room for thousands of them
  return joinKernels({ memory: takeMemory(Math.ceil(capacity / PAGE_BYTES) + 1), used: 0 });
}

/** Returns kernels on a memory that another thread has opened with room for both. */
export function joinKernels({ memory, used: before }: SharedKernels): Kernels {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNELS_BASE64, "base64"));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const functions = exports as Functions;
  let used = before;
  const allocate = (length: number) => {
    const at = used;
    used += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    return at;
  };
  const at = (...arrays: readonly ArrayBufferView[]) => arrays.map(({ byteOffset }) => byteOffset);
  return {
    bytes: (length) => new Uint8Array(memory.buffer, allocate(length), length),
    int32: (length) => new Int32Array(memory.buffer, allocate(4 * length), length),
    float32: (length) => new Float32Array(memory.buffer, allocate(4 * length), length),
    float64: (length) => new Float64Array(memory.buffer, allocate(8 * length), length),
    addRows(features, labels, order, sums, errors) {
      const rows = labels.length;
      functions.addRows(...at(features, labels, order), rows, features.length / rows, ...at(sums, errors));
    },
    subtractRows(features, labels, references, residuals, squares) {
      const rows = labels.length;
      const name = residuals instanceof Float32Array ? "subtractRowsRounded" : "subtractRows";
      functions[name](...at(features, labels), rows, features.length / rows, ...at(references, residuals, squares));
    },
    roundRows(values, rounded, squares) {
      const rows = squares.length;
      functions.roundRows(...at(values), rows, values.length / rows, ...at(rounded, squares));
    },
    squareRows(values, squares) {
      const rows = squares.length;
      functions.squareRows(...at(values), rows, values.length / rows, ...at(squares));
    },
    splitRows(values, ...arrays) {
      const rows = arrays[3].length;
      functions.splitRows(...at(values), rows, values.length / rows, ...at(...arrays));
    },
    joinProducts({ one, two, three }, scales, columnScales, products) {
      const parts = [one, two, three].map((part) => part?.byteOffset ?? 0);
      functions.joinProducts(...parts, scales.length, columnScales.length, ...at(scales, columnScales, products));
    },
    argmaxRows(values, largest) {
      const rows = largest.length;
      return functions.argmaxRows(...at(values), rows, values.length / rows, ...at(largest));
    },
    nearestRows(products, rowOf, ...arrays) {
      const rows = rowOf.length;
      functions.nearestRows(...at(products, rowOf), rows, products.length / rows, ...at(...arrays));
    },
    symmetricProduct(matrix, columns, vector, products) {
      functions.symmetricProduct(...at(matrix), columns, vector.length, ...at(vector, products));
    },
    subtractProducts(matrix, columns, u, v) {
      functions.subtractProducts(...at(matrix), columns, u.length, ...at(u, v));
    },
    share: () => ({ memory, used }),
    release() {
      const bytes = [...idle, memory].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
      if (bytes <= MOST_IDLE_BYTES) idle.push(memory);
    },
  };
}

function takeMemory(pages: number): WebAssembly.Memory {
  const fitting = idle
    .filter(({ buffer }) => buffer.byteLength >= pages * PAGE_BYTES)
    .sort((a, b) => a.buffer.byteLength - b.buffer.byteLength)[0];
  if (!fitting) return new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
  idle.splice(idle.indexOf(fitting), 1);
  return fitting;
}
