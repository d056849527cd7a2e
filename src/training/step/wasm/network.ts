import * as tf from "@tensorflow/tfjs-core";
import { startWasm } from "../../../engines/tfjs/backend.ts";
import { imagesTensor } from "../../../engines/tfjs/layout.ts";
import { type Graph, INPUT } from "../../../networks/graph.ts";
import type { LossGradients } from "../../losses/loss.ts";
import { backward, forward, type Sums, type Trace } from "../differentiate.ts";
import { nameOf, type TrainedNetwork, type TrainingOutputs, type TrainingStart } from "../network.ts";
import { trainingLayersOf } from "./layers.ts";
import { createWeights, type Weights } from "./weights.ts";

const SUMS: Sums<tf.Tensor> = {
  add(a, b) {
    const sum = tf.add(a, b);
    tf.dispose([a, b]);
    return sum;
  },
  free: (tensor) => tensor.dispose(),
};

/** Returns the network in training on the WASM backend of TensorFlow.js: one thread. */
export async function createWasmNetwork(start: TrainingStart): Promise<TrainedNetwork> {
  await startWasm();
  const { graph } = start;
  const weights = createWeights(start);
  const layers = graph.nodes.flatMap(trainingLayersOf);
  return {
    step: (images, learningRate, differentiate) =>
      tf.tidy(() => {
        const values = new Map(weights.tensors).set(INPUT, imagesTensor(graph, graph.size!, images));
        const trace = forward(layers, values);
        const seeds = seedsOf(graph, differentiate(outputsOf(graph, trace, weights)));
        weights.descend(backward(layers, trace, seeds, SUMS), learningRate);
        for (const { buffers = {} } of trace.values())
          for (const [name, value] of Object.entries(buffers)) weights.set(name, value);
      }),
    parameters: weights.parameters,
    velocity: weights.velocity,
    dispose: weights.dispose,
  };
}

/** Returns the outputs and the classifier, read from the backend. */
function outputsOf(graph: Graph, trace: Trace<tf.Tensor>, weights: Weights): TrainingOutputs {
  const read = (tensor: tf.Tensor) => tensor.dataSync<"float32">();
  return {
    features: read(trace.get(graph.features)!.output),
    logits: read(trace.get(graph.logits)!.output),
    weight: read(weights.tensors.get(nameOf(graph, "linearWeight"))!),
    bias: read(weights.tensors.get(nameOf(graph, "linearBias"))!),
  };
}

/** Returns the gradients of a loss as tensors, under the names of what they are with respect to. */
function seedsOf(graph: Graph, { gradFeatures, gradLogits, gradWeight }: LossGradients): Map<string, tf.Tensor> {
  const { dimensions, classes } = graph;
  const gradients = [
    [graph.features, gradFeatures, dimensions],
    [graph.logits, gradLogits, classes],
    [nameOf(graph, "linearWeight"), gradWeight, dimensions],
  ] as const;
  const seeds = gradients.flatMap(([name, gradient, columns]) =>
    gradient ? [[name, tf.tensor2d(Float32Array.from(gradient), [gradient.length / columns, columns])] as const] : [],
  );
  return new Map(seeds);
}
