import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Matrix } from "../matrix.ts";
import { type Spectrum, TASKS, type Tasks } from "./tasks.ts";
import type { Order } from "./thread.ts";

/** TypeScript in a clone, JavaScript in the published package. */
const PROGRAM = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url);

/**
 * Matrices of that many numbers and more are decomposed in a thread of their own: 256×256 take 40 ms, as long as a thread
 * takes to start, and 2,048×2,048 take 14 s, in which nothing else would be answered.
 */
const THREAD_NUMBERS = 256 * 256;

/** Returns the eigenvalues and eigenvectors of a symmetric matrix (n×n). */
export function spectrumOf(matrix: Matrix): Promise<Spectrum> {
  return run("spectrum", matrix, [matrix]);
}

/**
 * Returns `A⁺ b` (n), the vector of least norm among those that bring `‖A x − b‖` (A m×n, b m) to its least, by singular values
 * (Golub and Van Loan 2013, §5.5.2). One at or below max(m, n) ε of the largest counts as zero.
 */
export function leastNormSolution(matrix: Matrix, right: Float64Array): Promise<Float64Array> {
  return run("leastNormSolution", matrix, [matrix, right]);
}

async function run<Name extends keyof Tasks>(
  task: Name,
  { values }: Matrix,
  given: Parameters<Tasks[Name]>,
): Promise<ReturnType<Tasks[Name]>> {
  if (values.length < THREAD_NUMBERS)
    return (TASKS[task] as (...given: readonly unknown[]) => ReturnType<Tasks[Name]>)(...given);
  const order: Order = { task, given };
  const [answer] = await once(new Worker(PROGRAM, { workerData: order }), "message");
  return answer;
}
