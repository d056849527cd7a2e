import * as tf from "@tensorflow/tfjs-core";
import type { Node } from "../../networks/graph.ts";

/** What an operation computed, and how a gradient with respect to it flows back. */
export interface Operation<Value = tf.Tensor> {
  readonly output: Value;
  /** Returns the gradients with respect to the operation's arguments, in their order; null where none is wanted. */
  pullback(gradient: Value): readonly (Value | null)[];
}

/** One step of a network: `apply` takes the values of `arguments` (earlier layers, parameters, the input) in that order. */
export interface Layer<Result, Value = tf.Tensor> {
  readonly name: string;
  readonly arguments: readonly string[];
  apply(...values: Value[]): Result;
}

/** Returns the layer of a node that computes the same in training and in evaluation, and whose gradient we have. */
export function layerOf(node: Exclude<Node, { op: "conv" | "batchNorm" | "maxPool" }>): Layer<Operation> {
  const { name } = node;
  switch (node.op) {
    case "relu":
      return { name, arguments: [node.input], apply: relu };
    case "leakyRelu":
      return { name, arguments: [node.input], apply: (x) => leakyRelu(x, node.slope) };
    case "add":
      return { name, arguments: node.inputs, apply: add };
    case "averagePool":
      return { name, arguments: [node.input], apply: (x) => averagePool(x as tf.Tensor4D, node) };
    case "zeroPad": {
      const { top, bottom, left, right } = node;
      return { name, arguments: [node.input], apply: (x) => pad(x, [NONE, [top, bottom], [left, right], NONE]) };
    }
    case "padChannels":
      return { name, arguments: [node.input], apply: (x) => pad(x, [NONE, NONE, NONE, [0, node.added]]) };
    case "flatten":
      return { name, arguments: [node.input], apply: flatten };
    case "globalAveragePool":
      return { name, arguments: [node.input], apply: globalAveragePool };
    case "l2Normalize":
      return { name, arguments: [node.input], apply: l2Normalize };
    case "linear":
      return { name, arguments: [node.input, `${node.prefix}.weight`, `${node.prefix}.bias`], apply: linear };
  }
}

/** As in `torch.nn.functional.normalize`. */
const SMALLEST_NORM = 1e-12;

/** Returns `max(x, 0)`; the gradient at 0 is 0. */
function relu(x: tf.Tensor): Operation {
  const output = tf.relu(x);
  return { output, pullback: (gradient) => [tf.mul(gradient, tf.step(output))] };
}

/** Returns `x` where it is positive, else `slope·x`; the gradient at 0 is `slope`, as in PyTorch. */
function leakyRelu(x: tf.Tensor, slope: number): Operation {
  return { output: tf.leakyRelu(x, slope), pullback: (gradient) => [tf.mul(gradient, tf.step(x, slope))] };
}

/** Returns `a + b`. */
function add(a: tf.Tensor, b: tf.Tensor): Operation {
  return { output: tf.add(a, b), pullback: (gradient) => [tf.clone(gradient), tf.clone(gradient)] };
}

/** Returns the means of windows of k×k with k = stride, or with k = 1 every stride-th pixel; a rest at the edge is left out. */
function averagePool(x: tf.Tensor4D, { kernel, stride }: { kernel: number; stride: number }): Operation {
  const [, height, width] = x.shape;
  return {
    output: tf.avgPool(x, kernel, stride, "valid"),
    pullback(gradient) {
      const [count, rows, columns, channels] = gradient.shape as [number, number, number, number];
      const perPixel = tf.reshape(tf.div(gradient, kernel * kernel), [count * rows, 1, columns, 1, channels]);
      const windows = tf.pad(tf.tile(perPixel, [1, kernel, 1, kernel, 1]), [
        NONE,
        [0, stride - kernel],
        NONE,
        [0, stride - kernel],
        NONE,
      ]);
      const map = tf.reshape(windows, [count, rows * stride, columns * stride, channels]);
      const inside = tf.slice(
        map,
        [0, 0, 0, 0],
        [-1, Math.min(height, rows * stride), Math.min(width, columns * stride), -1],
      );
      const [, reached, across] = inside.shape as [number, number, number, number];
      return [tf.pad(inside, [NONE, [0, height - reached], [0, width - across], NONE])];
    },
  };
}

const NONE: [number, number] = [0, 0];

/** Returns `x` with so many zeros before and after it along each axis. */
function pad(x: tf.Tensor, sides: [number, number][]): Operation {
  const begin = sides.map(([before]) => before);
  return { output: tf.pad(x, sides), pullback: (gradient) => [tf.slice(gradient, begin, x.shape)] };
}

/** Returns N×H×W×C as N×(H·W·C). */
function flatten(x: tf.Tensor): Operation {
  return {
    output: tf.reshape(x, [x.shape[0]!, x.size / x.shape[0]!]),
    pullback: (gradient) => [tf.reshape(gradient, x.shape)],
  };
}

/** Returns the mean over the whole map of each channel: N×H×W×C to N×C. */
function globalAveragePool(x: tf.Tensor): Operation {
  const [count, height, width, channels] = x.shape as [number, number, number, number];
  return {
    output: tf.mean(x, [1, 2]),
    pullback(gradient) {
      const perPixel = tf.reshape(tf.div(gradient, height * width), [count, 1, 1, channels]);
      return [tf.tile(perPixel, [1, height, width, 1])];
    },
  };
}

/** Returns `h / max(‖h‖₂, 1e-12)` of each row of N×D, `dh = (dy − y·⟨y, dy⟩) / max(‖h‖₂, 1e-12)`. */
function l2Normalize(h: tf.Tensor): Operation {
  const norm = tf.maximum(tf.norm(h, 2, 1, true), SMALLEST_NORM);
  const output = tf.div(h, norm);
  return {
    output,
    pullback(gradient) {
      const along = tf.mul(output, tf.sum(tf.mul(output, gradient), 1, true));
      return [tf.div(tf.sub(gradient, along), norm)];
    },
  };
}

/**
 * Returns `h Wᵀ + b`, N×C, of h (N×D), W (C×D) and b (C). What is transposed is a matrix of its own: XNNPACK multiplies
 * such, and a product that is told to transpose is a slow loop.
 */
function linear(h: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): Operation {
  return {
    output: tf.add(tf.matMul(h, tf.transpose(weight)), bias),
    pullback: (gradient) => [tf.matMul(gradient, weight), tf.matMul(tf.transpose(gradient), h), tf.sum(gradient, 0)],
  };
}
