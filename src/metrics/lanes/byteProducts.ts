import type { InferenceSession } from "onnxruntime-node";
import { encodeModel, type OnnxParts } from "../../checkpoints/onnx/schema.ts";
import type { Matrix } from "../matrix.ts";
import { openSession } from "../products.ts";
import { type Kernels, openKernels } from "../wasm/kernels.ts";

/*
 * Products of float32 rows with matrices that stay the same, by products of bytes, which are exact: a number is
 * `scale · (65,536 a + 256 b + c)`, and of the nine products of two such numbers those count that are not below the last byte of
 * both. Processors with AMX multiply bytes ten times as fast as float32: at 2,048 dimensions and 1,000 classes that is 0.6 of the
 * time of a float32 product, and the product of the first bytes alone, by which nearest means are told, a tenth.
 */

/** The largest number of a row as it is split, and by how much numbers and their first bytes are off at most, as shares of that. */
const LARGEST = 127 * 65_536;
export const SPLIT_ERROR = 1 / LARGEST;
export const FIRST_BYTE_ERROR = (128 * 256 + 129) / LARGEST;

/** Products of rows (n×D, up to a number of rows) with two matrices: whole ones with `exact` (K×D), and with the first bytes of `rough` (C×D). */
export interface ByteProducts {
  /** What the numbers lack that `exact` is multiplied as (K×D). */
  readonly errors: Float32Array;
  /** The largest norm of what a row of `rough` lacks. */
  readonly roughError: number;
  /** Writes both products (n×K, n×C) of rows in the memory of the kernels, and returns the largest magnitude of each row (n). */
  of(rows: Float32Array, products: { exact: Float32Array; rough: Float32Array }): Promise<Float32Array>;
  release(): void;
}

/** Returns how many bytes `openByteProducts` takes of the kernels' memory. */
export function bytesOfProducts(rows: number, exact: number, rough: number, columns: number): number {
  return rows * (6 * columns + 12 * exact + 4 * rough + 8) + 4 * (exact + rough);
}

/** Returns the products with `exact` (K×D) and `rough` (C×D) for up to `rows` rows. */
export async function openByteProducts(
  kernels: Kernels,
  rows: number,
  exact: Matrix,
  rough: Matrix,
): Promise<ByteProducts> {
  const { columns } = exact;
  const weights = splitMatrix(exact);
  const roughly = splitMatrix(rough);
  const session = await openProducts(weights, roughly, columns);
  const room = {
    a1: kernels.bytes(rows * columns),
    a2: kernels.bytes(rows * columns * 2),
    a3: kernels.bytes(rows * columns * 3),
    one: kernels.int32(rows * exact.rows),
    two: kernels.int32(rows * exact.rows),
    three: kernels.int32(rows * exact.rows),
    first: kernels.int32(rows * rough.rows),
  };
  const scales = kernels.float32(rows);
  const scalesOf = ({ scales }: SplitMatrix) => {
    const there = kernels.float32(scales.length);
    there.set(scales.map((scale) => scale * 65_536));
    return there;
  };
  const [exactScales, roughScales] = [scalesOf(weights), scalesOf(roughly)];
  return {
    errors: errorsOf(exact, weights, 3),
    roughError: longestRow(errorsOf(rough, roughly, 1), columns),
    async of(values, { exact: exactly, rough: approximately }) {
      const count = values.length / columns;
      const part = <T extends Uint8Array | Int32Array>(array: T, width: number) =>
        array.subarray(0, count * width) as T;
      const [a1, a2, a3] = [part(room.a1, columns), part(room.a2, 2 * columns), part(room.a3, 3 * columns)];
      const scalesHere = scales.subarray(0, count);
      kernels.splitRows(values, a1, a2, a3, scalesHere);
      const outputs = {
        one: part(room.one, exact.rows),
        two: part(room.two, exact.rows),
        three: part(room.three, exact.rows),
        first: part(room.first, rough.rows),
      };
      await runProducts(session, count, { a1, a2, a3 }, outputs);
      kernels.joinProducts(outputs, scalesHere, exactScales, exactly);
      kernels.joinProducts({ one: outputs.first }, scalesHere, roughScales, approximately);
      return scalesHere.map((scale) => scale * LARGEST);
    },
    release: () => void session.release(),
  };
}

/** The three bytes of each number of a matrix, as K×D matrices, and the scale of each row. */
interface SplitMatrix {
  readonly digits: readonly [Int8Array, Int8Array, Int8Array];
  readonly scales: Float32Array;
}

function splitMatrix({ rows, columns, values }: Matrix): SplitMatrix {
  const kernels = openKernels(rows * (10 * columns + 4));
  const numbers = kernels.float32(rows * columns);
  numbers.set(values);
  const [one, two, three] = [1, 2, 3].map((width) => kernels.bytes(rows * columns * width)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const scales = kernels.float32(rows);
  kernels.splitRows(numbers, one, two, three, scales);
  const digits = [0, 1, 2].map((place) => {
    const bytes = new Int8Array(rows * columns);
    for (let row = 0, k = 0; row < rows; row++)
      for (let at = (3 * row + place) * columns, end = at + columns; at < end; at++, k++) bytes[k] = three[at] - 128;
    return bytes;
  }) as [Int8Array, Int8Array, Int8Array];
  const copied = Float32Array.from(scales);
  kernels.release();
  return { digits, scales: copied };
}

/** What the first `count` bytes of each number lack (K×D). */
function errorsOf(
  { columns, values }: Matrix,
  { digits: [one, two, three], scales }: SplitMatrix,
  count: 1 | 3,
): Float32Array {
  const errors = new Float32Array(values.length);
  for (let row = 0, k = 0; row < scales.length; row++)
    for (const end = k + columns; k < end; k++)
      errors[k] = values[k] - scales[row] * (65_536 * one[k] + (count === 1 ? 0 : 256 * two[k] + three[k]));
  return errors;
}

function longestRow(values: Float32Array, columns: number): number {
  let longest = 0;
  for (let k = 0; k < values.length; ) {
    let square = 0;
    for (const end = k + columns; k < end; k++) square += values[k] ** 2;
    longest = Math.max(longest, square);
  }
  return Math.sqrt(longest);
}

function openProducts(exact: SplitMatrix, rough: SplitMatrix, columns: number): Promise<InferenceSession> {
  const [w1, w2, w3] = exact.digits;
  const constant = (name: string, values: Int8Array) => ({ name, dims: [values.length / columns, columns], values });
  const transposed = (input: string, output: string) => ({ opType: "Transpose", input: [input], output });
  const beside = (input: string[], output: string) => ({ opType: "Concat", input, output, attributes: { axis: 1 } });
  const product = (a: string, b: string, output: string) => ({
    opType: "MatMulInteger",
    input: [a, b, "offset"],
    output,
  });
  const widths = { a1: 1, a2: 2, a3: 3 };
  const parts: OnnxParts = {
    nodes: [
      beside(["w2", "w1"], "w21"),
      beside(["w3", "w2", "w1"], "w321"),
      transposed("w1", "b1"),
      transposed("w21", "b2"),
      transposed("w321", "b3"),
      transposed("v1", "c1"),
      product("a1", "b1", "one"),
      product("a2", "b2", "two"),
      product("a3", "b3", "three"),
      product("a1", "c1", "first"),
    ],
    constants: [
      constant("w1", w1),
      constant("w2", w2),
      constant("w3", w3),
      constant("v1", rough.digits[0]),
      { name: "offset", dims: [], values: Uint8Array.of(128) },
    ],
    inputs: Object.entries(widths).map(([name, width]) => ({
      name,
      element: "uint8",
      dims: ["rows", width * columns],
    })),
    outputs: ["one", "two", "three", "first"].map((name) => ({ name, element: "int32", dims: ["rows", "columns"] })),
    metadata: {},
  };
  return openSession(encodeModel(parts));
}

async function runProducts(
  session: InferenceSession,
  rows: number,
  inputs: Readonly<Record<string, Uint8Array>>,
  outputs: Readonly<Record<string, Int32Array>>,
): Promise<void> {
  const { Tensor } = await import("onnxruntime-node");
  const shape = ({ length }: ArrayLike<number>) => [rows, length / rows];
  const entries = <T, U>(record: Readonly<Record<string, T>>, of: (value: T) => U) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)]));
  await session.run(
    entries(inputs, (bytes) => new Tensor("uint8", bytes, shape(bytes))),
    entries(outputs, (sums) => new Tensor("int32", sums, shape(sums))),
  );
}
