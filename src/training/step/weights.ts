import * as tf from "@tensorflow/tfjs-core";
import { filterTensor, filterWeights } from "../../engines/tfjs/layout.ts";
import { BATCH_NORM_MOMENTUM, type Graph, type ParameterShape } from "../../networks/graph.ts";
import type { BatchStatistics } from "./layers.ts";

/** Constants of stochastic gradient descent, as `torch.optim.SGD` has them. */
export interface Momentum {
  readonly momentum: number;
  readonly weightDecay: number;
}

/** The numbers of a network in training, on the backend. Copies that leave have PyTorch's names and layouts. */
export interface Weights {
  /** Every parameter and buffer by name. A tensor lives until the next update. */
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  /**
   * Takes one step of stochastic gradient descent: `v ← μ v + (g + λ p)`, `p ← p − η v`, for every parameter that has a
   * gradient. As in PyTorch weight decay is for all of them, and what has no gradient stays as it is.
   */
  descend(gradients: ReadonlyMap<string, tf.Tensor>, learningRate: number): void;
  /** Moves the running mean and variance of the batch norm `prefix` by 0.1 towards the batch's, the variance unbiased. */
  follow(prefix: string, statistics: BatchStatistics): void;
  parameters(): Map<string, Float32Array>;
  velocity(): Map<string, Float32Array>;
  dispose(): void;
}

/** Returns the weights with those numbers; `velocity` is zero where absent. */
export function createWeights(
  { parameters: shapes }: Graph,
  parameters: ReadonlyMap<string, Float32Array>,
  velocity: ReadonlyMap<string, Float32Array> | undefined,
  { momentum, weightDecay }: Momentum,
): Weights {
  const learned = shapes.filter(({ role }) => role !== "runningMean" && role !== "runningVariance");
  const tensors = new Map(shapes.map((shape) => [shape.name, toTensor(parameters.get(shape.name)!, shape)]));
  const velocities = new Map(
    learned.map((shape) => {
      const values = velocity?.get(shape.name) ?? new Float32Array(tf.util.sizeFromShape([...shape.shape]));
      return [shape.name, toTensor(values, shape)];
    }),
  );
  return {
    tensors,
    descend(gradients, learningRate) {
      for (const { name } of learned) {
        const gradient = gradients.get(name);
        if (!gradient) continue;
        const parameter = tensors.get(name)!;
        replace(velocities, name, () =>
          tf.add(tf.mul(velocities.get(name)!, momentum), tf.add(gradient, tf.mul(parameter, weightDecay))),
        );
        replace(tensors, name, () => tf.sub(parameter, tf.mul(velocities.get(name)!, learningRate)));
      }
    },
    follow(prefix, { mean, variance, count }) {
      const towards = (name: string, batch: tf.Tensor, weight: number) =>
        replace(tensors, name, () =>
          tf.add(tf.mul(tensors.get(name)!, 1 - BATCH_NORM_MOMENTUM), tf.mul(batch, weight)),
        );
      towards(`${prefix}.running_mean`, mean, BATCH_NORM_MOMENTUM);
      towards(`${prefix}.running_var`, variance, (BATCH_NORM_MOMENTUM * count) / (count - 1));
    },
    parameters: () => new Map(shapes.map((shape) => [shape.name, toNumbers(tensors.get(shape.name)!, shape)])),
    velocity: () => new Map(learned.map((shape) => [shape.name, toNumbers(velocities.get(shape.name)!, shape)])),
    dispose: () => tf.dispose([...tensors.values(), ...velocities.values()]),
  };
}

/** A new tensor each time and never new numbers in an old one: XNNPACK packs a filter once for each tensor. */
function replace(tensors: Map<string, tf.Tensor>, name: string, compute: () => tf.Tensor): void {
  const next = tf.keep(tf.tidy(compute));
  tensors.get(name)!.dispose();
  tensors.set(name, next);
}

function toTensor(values: Float32Array, { shape, role }: ParameterShape): tf.Tensor {
  return tf.keep(role === "conv" ? filterTensor(values, shape) : tf.tensor(values, [...shape]));
}

function toNumbers(tensor: tf.Tensor, { role }: ParameterShape): Float32Array {
  return role === "conv" ? filterWeights(tensor) : tensor.dataSync<"float32">();
}
