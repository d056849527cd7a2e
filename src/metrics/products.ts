import { isMainThread } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import { encodeModel } from "../checkpoints/onnx/schema.ts";
import type { Reals } from "./matrix.ts";

/*
 * Products of large matrices, by ONNX Runtime's Gemm on all cores: for 4,096×512 times 512×512 in float64 180 GFLOP/s on two
 * AVX-512 cores, where a JavaScript loop does 2 and PyTorch the same as this. Small products (below some 10⁵ multiplications)
 * are faster in `matrix.ts`.
 */

/** A row-major matrix whose numbers are all float64 or all float32. */
export interface Dense<Values extends Reals> {
  readonly rows: number;
  readonly columns: number;
  readonly values: Values;
}

type Kind = "a bᵀ" | "aᵀ b";

/**
 * Returns `a bᵀ` (n×m) of `a` (n×k) and `b` (m×k), in the precision they have. It is written into `target`, where one is
 * given: of 500 products of a pass, new arrays would keep the garbage collector at work for a third of the time.
 */
export function timesTransposed<V extends Reals>(a: Dense<V>, b: Dense<V>, target?: V): Promise<Dense<V>> {
  return run("a bᵀ", a, b, { rows: a.rows, columns: b.rows, values: target });
}

/** Returns `aᵀ b` (k×m) of `a` (n×k) and `b` (n×m), in the precision they have, written into `target`, where one is given. */
export function transposedTimes<V extends Reals>(a: Dense<V>, b: Dense<V>, target?: V): Promise<Dense<V>> {
  return run("aᵀ b", a, b, { rows: a.columns, columns: b.columns, values: target });
}

async function run<V extends Reals>(
  kind: Kind,
  a: Dense<V>,
  b: Dense<V>,
  { rows, columns, values }: { rows: number; columns: number; values?: V | undefined },
): Promise<Dense<V>> {
  const { Tensor } = await import("onnxruntime-node");
  const element = a.values instanceof Float32Array ? "float32" : "float64";
  const session = await sessionFor(kind, element);
  const tensor = ({ rows, columns, values }: Dense<V>) => new Tensor(element, values, [rows, columns]);
  const inputs = { a: tensor(a), b: tensor(b) };
  if (values) {
    const target = values.subarray(0, rows * columns) as V;
    await session.run(inputs, { product: tensor({ rows, columns, values: target }) });
    return { rows, columns, values: target };
  }
  const { product } = await session.run(inputs);
  return { rows, columns, values: product!.data as V };
}

/** Threads that wait actively would take the cores from JavaScript and from reading: 70 instead of 110 ms for 50,000×512. */
const IDLE_THREADS = { session: { intra_op: { allow_spinning: "0" } } };

/** A thread besides the main one has a core to itself and its products too. */
const THREADS = isMainThread ? {} : { intraOpNumThreads: 1 };

const sessions = new Map<string, Promise<InferenceSession>>();

function sessionFor(kind: Kind, element: "float32" | "float64"): Promise<InferenceSession> {
  const key = `${kind} ${element}`;
  const session = sessions.get(key) ?? openProduct(kind, element === "float32" ? "float" : "double");
  sessions.set(key, session);
  return session;
}

async function openProduct(kind: Kind, element: "float" | "double"): Promise<InferenceSession> {
  const attributes: Record<string, number> = kind === "a bᵀ" ? { transB: 1 } : { transA: 1 };
  const file = encodeModel({
    nodes: [{ opType: "Gemm", input: ["a", "b"], output: "product", attributes }],
    constants: [],
    inputs: [
      { name: "a", element, dims: ["rows of a", "columns of a"] },
      { name: "b", element, dims: ["rows of b", "columns of b"] },
    ],
    outputs: [{ name: "product", element, dims: ["rows", "columns"] }],
    metadata: {},
  });
  return openSession(file);
}

/** Returns a session for a model of products: on all cores in the main thread, on one in others. */
export async function openSession(file: Uint8Array): Promise<InferenceSession> {
  const { InferenceSession } = await import("onnxruntime-node");
  return InferenceSession.create(file, {
    executionProviders: ["cpu"],
    logSeverityLevel: 3,
    extra: IDLE_THREADS,
    ...THREADS,
  });
}
