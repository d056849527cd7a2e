import * as tf from "@tensorflow/tfjs-core";
import { startWasm } from "../../engines/tfjs/backend.ts";
import { imagesTensor } from "../../engines/tfjs/layout.ts";
import { CollapsarError } from "../../errors.ts";
import { type Graph, INPUT, type ParameterShape } from "../../networks/graph.ts";
import type { BatchLoss, LossBatch, LossGradients } from "../losses/loss.ts";
import { backward, forward, type Trace } from "./differentiate.ts";
import { trainingLayerOf } from "./layers.ts";
import { WASM_KERNELS } from "./wasm/kernels.ts";
import { createWeights, type Momentum, type Weights } from "./weights.ts";

/** Where training starts and what it minimises; names and layouts of the numbers are PyTorch's. */
export interface TrainerOptions extends Momentum {
  readonly graph: Graph;
  /** All of `graph.parameters`, running statistics included. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Of a training that goes on; without it the velocity starts at zero. */
  readonly velocity?: ReadonlyMap<string, Float32Array>;
  readonly loss: BatchLoss;
}

/** What a step saw before it changed the weights: the loss, its terms, and how many images were classified as labelled. */
export type StepResult = {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly correct: number;
};

/** A network in training on one thread. The same numbers in give the same bytes out. */
export interface Trainer {
  /**
   * Takes one step of gradient descent on a batch: pixels (N×H×W×C uint8) or normalised images (N×C×H×W float32).
   * @throws CollapsarError `non-finite-loss` that names the step; the weights are then as before it.
   */
  step(images: Uint8Array | Float32Array, labels: Int32Array, learningRate: number): Promise<StepResult>;
  /** Returns copies of all of `graph.parameters`. */
  parameters(): Map<string, Float32Array>;
  /** Returns copies of the velocity of every learned parameter. */
  velocity(): Map<string, Float32Array>;
  dispose(): void;
}

/** Returns a trainer of the graph, on the WASM backend of TensorFlow.js. */
export async function createTrainer({ graph, loss, ...start }: TrainerOptions): Promise<Trainer> {
  const { size } = graph;
  if (!size) throw new CollapsarError("unsupported-network", "a network for images of any size is not trained here");
  await startWasm();
  const weights = createWeights(graph, start.parameters, start.velocity, start);
  const layers = graph.nodes.map((node) => trainingLayerOf(node, WASM_KERNELS));
  let steps = 0;

  function step(images: Uint8Array | Float32Array, labels: Int32Array, learningRate: number): StepResult {
    steps++;
    const values = new Map(weights.tensors).set(INPUT, imagesTensor(graph, size!, images));
    const trace = forward(layers, values);
    const batch = lossBatch(graph, trace, weights, labels);
    const { value, terms, ...gradients } = loss(batch);
    if (!Number.isFinite(value))
      throw new CollapsarError("non-finite-loss", `the loss of step ${steps} is ${value}, expected a finite number`);
    weights.descend(backward(layers, trace, seedsOf(graph, gradients)), learningRate);
    followStatistics(graph, trace, weights);
    return { loss: value, terms, correct: countCorrect(batch.logits, labels) };
  }

  return {
    step: async (...batch) => tf.tidy(() => step(...batch)),
    parameters: weights.parameters,
    velocity: weights.velocity,
    dispose: weights.dispose,
  };
}

/** Returns the outputs and the classifier, read from the backend. */
function lossBatch(graph: Graph, trace: Trace, weights: Weights, labels: Int32Array): LossBatch {
  const read = (tensor: tf.Tensor) => tensor.dataSync<"float32">();
  return {
    features: read(trace.get(graph.features)!.output),
    logits: read(trace.get(graph.logits)!.output),
    labels,
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

function nameOf({ parameters }: Graph, role: ParameterShape["role"]): string {
  return parameters.find((parameter) => parameter.role === role)!.name;
}

function followStatistics({ nodes }: Graph, trace: Trace, weights: Weights): void {
  for (const node of nodes) if (node.op === "batchNorm") weights.follow(node.prefix, trace.get(node.name)!.statistics!);
}

function countCorrect(logits: Float32Array, labels: Int32Array): number {
  const classes = logits.length / labels.length;
  return labels.reduce((correct, label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    return correct + (row.indexOf(row.reduce((a, b) => Math.max(a, b))) === label ? 1 : 0);
  }, 0);
}
