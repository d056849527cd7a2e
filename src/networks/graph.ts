/**
 * A network as a list of operations in order of execution. Every node has a unique `name`; its output is known by that
 * name, and `input`/`inputs` name earlier nodes or `INPUT`. Activations are N×C×H×W up to `globalAveragePool` or
 * `flatten`, N×D after.
 */
export const INPUT = "input";

export type Node =
  /** 2-D convolution; `weight` names an out×in×k×k tensor, `bias` one of `out` numbers. */
  | {
      op: "conv";
      name: string;
      input: string;
      weight: string;
      bias?: string;
      stride: number;
      padding: number;
      /** In training only: `weight` is made anew in every step, of the parameters `weight` + `_orig`, `_u`, `_v`, `_sigma`. */
      spectralNorm?: SpectralNorm;
    }
  /** `y = (x − running_mean)/√(running_var + ε)·weight + bias`; `prefix` + `.weight`, `.bias`, `.running_mean`, `.running_var`. */
  | { op: "batchNorm"; name: string; input: string; prefix: string; epsilon: number }
  | { op: "relu"; name: string; input: string }
  /** `x` where positive, else `slope·x`. */
  | { op: "leakyRelu"; name: string; input: string; slope: number }
  | { op: "add"; name: string; inputs: readonly [string, string] }
  /** Largest of each kernel×kernel window; what lies outside the map never is. */
  | { op: "maxPool"; name: string; input: string; kernel: number; stride: number; padding: number }
  /** Mean of each kernel×kernel window inside the map. */
  | { op: "averagePool"; name: string; input: string; kernel: number; stride: number }
  /** Zeros around the map. */
  | { op: "zeroPad"; name: string; input: string; top: number; bottom: number; left: number; right: number }
  /** `added` zero channels after the map's own. */
  | { op: "padChannels"; name: string; input: string; added: number }
  | { op: "globalAveragePool"; name: string; input: string }
  /** N×C×H×W to N×(H·W·C), channels fastest. */
  | { op: "flatten"; name: string; input: string }
  /** `h / max(‖h‖₂, 1e-12)`. */
  | { op: "l2Normalize"; name: string; input: string }
  /** `z = W h + b`; `prefix` + `.weight` (out×in), `.bias` (out). */
  | { op: "linear"; name: string; input: string; prefix: string };

/** DDU's soft spectral normalisation of a convolution. */
export interface SpectralNorm {
  /** The norm it may have, and what is added to the factor that its weight is divided by. */
  readonly coeff: number;
  readonly added: number;
  /** Of the singular vectors v, which the convolution takes to u: channels×S×S. */
  readonly v: readonly [number, number, number];
  readonly u: readonly [number, number, number];
}

/** PyTorch's BatchNorm2d constants. */
export const BATCH_NORM_EPSILON = 1e-5;
export const BATCH_NORM_MOMENTUM = 0.1;

/** A parameter or buffer the graph needs, with the shape it must have. */
export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role:
    | ("conv" | "scale" | "offset" | "linearWeight" | "linearBias")
    | ("runningMean" | "runningVariance" | "singularVector" | "singularValue");
}

/** What goes into a network and what comes out of it. */
export interface Signature {
  readonly channels: number;
  /** The only images it takes, or null where it takes any size. */
  readonly size: { readonly height: number; readonly width: number } | null;
  /** Per channel, applied as `(pixel/255 − mean)/std`; null where unknown, and then only normalised images can be run. */
  readonly normalisation: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  readonly dimensions: number;
  readonly classes: number;
}

/** The whole network: what goes in and out, the nodes, and which of them are the two outputs. */
export interface Graph extends Signature {
  readonly nodes: readonly Node[];
  /** Node whose output is the penultimate features h (N×D, after L2 normalisation where the network has it). */
  readonly features: string;
  /** Node whose output is the logits z (N×C): a `linear` node that reads `features`. */
  readonly logits: string;
  /** In PyTorch's `state_dict` order. */
  readonly parameters: readonly ParameterShape[];
}
