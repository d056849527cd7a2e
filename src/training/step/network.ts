import type { Graph, ParameterShape } from "../../networks/graph.ts";
import type { LossBatch, LossGradients } from "../losses/loss.ts";

/** What a network gives the loss: features (N×D), logits (N×C), and its classifier W (C×D) and b (C). */
export type TrainingOutputs = Omit<LossBatch, "labels">;

/** Constants of stochastic gradient descent, as `torch.optim.SGD` has them. */
export interface Momentum {
  readonly momentum: number;
  readonly weightDecay: number;
}

/** Where training starts; names and layouts of the numbers are PyTorch's. */
export interface TrainingStart extends Momentum {
  readonly graph: Graph;
  /** All of `graph.parameters`, running statistics included. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  /** Of a training that goes on; without it the velocity starts at zero. */
  readonly velocity?: ReadonlyMap<string, Float32Array>;
  /** Of native TensorFlow, where this process has not loaded it yet; default: as many as there are cores. */
  readonly threads?: number;
}

/** A network in training on a backend: all of a step but the loss. */
export interface TrainedNetwork {
  /**
   * Runs the network on images, asks `differentiate` for the gradients of the loss with respect to what came out, and takes
   * one step of stochastic gradient descent: `v ← μ v + (g + λ p)`, `p ← p − η v`, for every parameter that has a gradient.
   * As in PyTorch weight decay is for all of them, and what has no gradient stays as it is. Running means and variances
   * move by 0.1 towards the batch's, the variance unbiased; singular vectors take one step of the power iteration. Where
   * `differentiate` throws nothing has changed.
   */
  step(
    images: Uint8Array | Float32Array,
    learningRate: number,
    differentiate: (outputs: TrainingOutputs) => LossGradients,
  ): void;
  parameters(): Map<string, Float32Array>;
  velocity(): Map<string, Float32Array>;
  dispose(): void;
}

const LEARNED: readonly ParameterShape["role"][] = ["conv", "scale", "offset", "linearWeight", "linearBias"];

/** Returns the parameters that learn; the others are buffers, which follow what goes through the network. */
export function learnedParameters({ parameters }: Graph): ParameterShape[] {
  return parameters.filter(({ role }) => LEARNED.includes(role));
}

/** Returns the name of the one parameter of the network in that role. */
export function nameOf({ parameters }: Graph, role: "linearWeight" | "linearBias"): string {
  return parameters.find((parameter) => parameter.role === role)!.name;
}
