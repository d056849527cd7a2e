/**
 * A network as a list of operations in order of execution. Every node has a unique `name`; its output is known by that
 * name, and `input`/`inputs` name earlier nodes or `INPUT`. Activations are N×C×H×W up to `globalAveragePool`, N×D after.
 */
export const INPUT = "input";

export type Node =
  /** 2-D convolution without bias; `weight` names an out×in×k×k tensor. */
  | { op: "conv"; name: string; input: string; weight: string; stride: number; padding: number }
  /** `y = (x − running_mean)/√(running_var + ε)·weight + bias`; `prefix` + `.weight`, `.bias`, `.running_mean`, `.running_var`. */
  | { op: "batchNorm"; name: string; input: string; prefix: string }
  | { op: "relu"; name: string; input: string }
  | { op: "add"; name: string; inputs: readonly [string, string] }
  | { op: "globalAveragePool"; name: string; input: string }
  /** `h / max(‖h‖₂, 1e-12)`. */
  | { op: "l2Normalize"; name: string; input: string }
  /** `z = W h + b`; `prefix` + `.weight` (C×D), `.bias` (C). */
  | { op: "linear"; name: string; input: string; prefix: string };

/** PyTorch's BatchNorm2d constants. */
export const BATCH_NORM_EPSILON = 1e-5;
export const BATCH_NORM_MOMENTUM = 0.1;

/** A parameter or buffer the graph needs, with the shape it must have. */
export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: "conv" | "scale" | "offset" | "runningMean" | "runningVariance" | "linearWeight" | "linearBias";
}

/** The whole network: geometry, normalisation of the pixels, nodes, and which nodes are the two outputs. */
export interface Graph {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Per channel, applied as `(pixel/255 − mean)/std`; null where unknown, and then only normalised images can be run. */
  readonly normalisation: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  readonly nodes: readonly Node[];
  /** Node whose output is the penultimate features h (N×D, after L2 normalisation where the network has it). */
  readonly features: string;
  /** Node whose output is the logits z (N×C). */
  readonly logits: string;
  readonly dimensions: number;
  readonly classes: number;
  /** In PyTorch's `state_dict` order. */
  readonly parameters: readonly ParameterShape[];
}
