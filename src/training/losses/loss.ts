import { crossEntropy } from "./crossEntropy.ts";
import { ncLoss } from "./ncLoss.ts";

/** What a loss sees of a batch of N: features (N×D), logits (N×C), labels, and the classifier W (C×D) and b (C). */
export interface LossBatch {
  readonly features: Float32Array;
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Gradients of a loss with respect to what it depends on directly; null for what it does not. */
export interface LossGradients {
  readonly gradFeatures: Float32Array | Float64Array | null;
  readonly gradLogits: Float32Array | Float64Array | null;
  readonly gradWeight: Float32Array | Float64Array | null;
}

export interface LossValue extends LossGradients {
  readonly value: number;
  /** The parts the value is the sum of, by name. */
  readonly terms: Readonly<Record<string, number>>;
}

export type BatchLoss = (batch: LossBatch) => LossValue;

/** `ce`: cross-entropy. `nc`: the sum of the differentiable neural-collapse metrics, with no cross-entropy term. */
export const LOSSES = ["ce", "nc"] as const;
export type LossName = (typeof LOSSES)[number];

/** Returns the loss of that name over `classes` classes. */
export function lossOf(name: LossName, classes: number): BatchLoss {
  switch (name) {
    case "ce":
      return ({ logits, labels }) => {
        const { value, gradLogits } = crossEntropy(logits, labels);
        return { value, terms: { cross_entropy: value }, gradFeatures: null, gradLogits, gradWeight: null };
      };
    case "nc":
      return ({ features, labels, weight }) => ({ ...ncLoss(features, labels, weight, classes), gradLogits: null });
  }
}
