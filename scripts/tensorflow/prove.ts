/** A program: multiplies two matrices on native TensorFlow, checks the product, and prints as JSON what it ran on. */
import * as tf from "@tensorflow/tfjs-core";
import { loadNative } from "../../src/engines/tfjs/native.ts";
import { asCollapsarError, CollapsarError } from "../../src/errors.ts";

const SIZE = 64;

/** Small integers: their products and sums are exact in float32 and in TF32, in whatever order they are added. */
const left = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % 11) - 5);
const right = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % 13) - 6);

function expectedAt(position: number): number {
  const [row, column] = [Math.floor(position / SIZE), position % SIZE];
  return left
    .subarray(row * SIZE, (row + 1) * SIZE)
    .reduce((sum, value, i) => sum + value * right[i * SIZE + column]!, 0);
}

try {
  const native = await loadNative();
  await tf.setBackend(native.backend);
  const shape: [number, number] = [SIZE, SIZE];
  const product = await tf.matMul(tf.tensor2d(left, shape), tf.tensor2d(right, shape)).data();
  const wrong = product.findIndex((value, position) => value !== expectedAt(position));
  if (wrong >= 0)
    throw new CollapsarError(
      "internal",
      `a product of matrices on ${native.package} is wrong: element ${wrong} is ${product[wrong]}, not ${expectedAt(wrong)}`,
    );
  process.stdout.write(JSON.stringify(native));
} catch (error) {
  console.error(asCollapsarError(error).message);
  process.exitCode = 1;
}
