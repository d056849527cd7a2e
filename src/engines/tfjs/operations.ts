import * as tf from "@tensorflow/tfjs-core";
import type { Node } from "../../networks/graph.ts";

/** What an operation computed, and how a gradient with respect to it flows back. */
export interface Operation {
  readonly output: tf.Tensor;
  /** Returns the gradients with respect to the operation's arguments, in their order; null where none is wanted. */
  pullback(gradient: tf.Tensor): readonly (tf.Tensor | null)[];
}

/** One step of a network: `apply` takes the values of `arguments` (earlier layers, parameters, the input) in that order. */
export interface Layer<Result> {
  readonly name: string;
  readonly arguments: readonly string[];
  apply(...values: tf.Tensor[]): Result;
}

/** Returns the layer of a node that computes the same in training and in evaluation. */
export function layerOf(node: Exclude<Node, { op: "conv" | "batchNorm" }>): Layer<Operation> {
  const { name } = node;
  switch (node.op) {
    case "relu":
      return { name, arguments: [node.input], apply: relu };
    case "add":
      return { name, arguments: node.inputs, apply: add };
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

/** Returns `a + b`. */
function add(a: tf.Tensor, b: tf.Tensor): Operation {
  return { output: tf.add(a, b), pullback: (gradient) => [tf.clone(gradient), tf.clone(gradient)] };
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

/** Returns `h Wᵀ + b`, N×C, of h (N×D), W (C×D) and b (C). */
function linear(h: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): Operation {
  return {
    output: tf.add(tf.matMul(h, weight, false, true), bias),
    pullback: (gradient) => [tf.matMul(gradient, weight), tf.matMul(gradient, h, true), tf.sum(gradient, 0)],
  };
}
