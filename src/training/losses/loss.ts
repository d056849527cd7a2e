import { crossEntropy } from "./crossEntropy.ts";
import { type NcLoss, ncLoss } from "./ncLoss.ts";

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
  /** The parts of the value by name, before they are weighted. */
  readonly terms: Readonly<Record<string, number>>;
}

export type BatchLoss = (batch: LossBatch) => LossValue;

/**
 * `ce`: cross-entropy. `nc`: the sum of the differentiable neural-collapse metrics, with no cross-entropy term. `ce+nc`: both.
 */
export const LOSSES = ["ce", "nc", "ce+nc"] as const;
export type LossName = (typeof LOSSES)[number];

/** What losses can be tuned by. */
export interface LossOptions {
  /** Of cross-entropy: the share of a target that is spread over all classes. */
  readonly labelSmoothing?: number;
  /** What the NC loss is multiplied by in `ce+nc`. */
  readonly ncWeight?: number;
}

/** Returns the loss of that name over `classes` classes. */
export function lossOf(name: LossName, classes: number, options: LossOptions = {}): BatchLoss {
  const { labelSmoothing = 0, ncWeight = 1 } = options;
  const ce: BatchLoss = ({ logits, labels }) => {
    const { value, gradLogits } = crossEntropy(logits, labels, labelSmoothing);
    return { value, terms: { cross_entropy: value }, gradFeatures: null, gradLogits, gradWeight: null };
  };
  const nc = ({ features, labels, weight }: LossBatch) => ncLoss(features, labels, weight, classes);
  switch (name) {
    case "ce":
      return ce;
    case "nc":
      return (batch) => ({ ...nc(batch), gradLogits: null });
    case "ce+nc":
      return (batch) => weightedSum(ce(batch), nc(batch), ncWeight);
  }
}

function weightedSum(ce: LossValue, nc: NcLoss, weight: number): LossValue {
  return {
    value: ce.value + weight * nc.value,
    terms: { ...ce.terms, ...nc.terms },
    gradLogits: ce.gradLogits,
    gradFeatures: nc.gradFeatures.map((value) => weight * value),
    gradWeight: nc.gradWeight.map((value) => weight * value),
  };
}
