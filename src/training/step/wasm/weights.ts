import * as tf from "@tensorflow/tfjs-core";
import { filterTensor, filterWeights } from "../../../engines/tfjs/layout.ts";
import type { ParameterShape } from "../../../networks/graph.ts";
import { learnedParameters, type TrainingStart } from "../network.ts";

/** The numbers of a network in training, on the backend. Copies that leave have PyTorch's names and layouts. */
export interface Weights {
  /** Every parameter and buffer by name. A tensor lives until the next update. */
  readonly tensors: ReadonlyMap<string, tf.Tensor>;
  /**
   * Takes one step of stochastic gradient descent: `v ← μ v + (g + λ p)`, `p ← p − η v`, for every parameter that has a
   * gradient. As in PyTorch weight decay is for all of them, and what has no gradient stays as it is.
   */
  descend(gradients: ReadonlyMap<string, tf.Tensor>, learningRate: number): void;
  /** Gives a buffer its new value. */
  set(name: string, value: tf.Tensor): void;
  parameters(): Map<string, Float32Array>;
  velocity(): Map<string, Float32Array>;
  dispose(): void;
}

/** Returns the weights with those numbers; the velocity is zero where it is absent. */
export function createWeights({ graph, parameters, velocity, momentum, weightDecay }: TrainingStart): Weights {
  const { parameters: shapes } = graph;
  const learned = learnedParameters(graph);
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
    set: (name, value) => replace(tensors, name, () => value),
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
