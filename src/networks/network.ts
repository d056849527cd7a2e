import type { Graph, Signature } from "./graph.ts";

/** A graph with its trained numbers: float32, by PyTorch's tensor names, shapes as `graph.parameters` says. */
export interface GraphNetwork {
  readonly kind: "graph";
  readonly graph: Graph;
  readonly parameters: ReadonlyMap<string, Float32Array>;
}

/** The last linear layer, `z = W h + b`: weight C×D and bias C, row-major. */
export interface Classifier {
  readonly weight: Float32Array | Float64Array;
  readonly bias: Float32Array | Float64Array;
  readonly classes: number;
  readonly dimensions: number;
}

/** An ONNX file that somebody else made: all of what it may compute only ONNX Runtime knows. */
export interface OnnxNetwork extends Signature {
  readonly kind: "onnx";
  /** The file, with `features` and `logits` among the outputs of its graph. */
  readonly file: Uint8Array;
  readonly input: {
    readonly name: string;
    /** `pixels`: uint8 N×H×W×C, normalised inside the file. `normalised`: float32 N×C×H×W. */
    readonly kind: "pixels" | "normalised";
    /** Images per run where the file fixes it, else null. */
    readonly batch: number | null;
  };
  /** Names of the outputs that are h (N×D) and z (N×C). */
  readonly features: string;
  readonly logits: string;
  readonly classifier: Classifier;
  /** Returns it as a graph for other engines. @throws CollapsarError `unsupported-network` that names what we do not compute. */
  toGraph(): GraphNetwork;
}

/** What an engine runs. */
export type Network = GraphNetwork | OnnxNetwork;

/** Returns what goes into the network and what comes out. */
export function signatureOf(network: Network): Signature {
  return network.kind === "graph" ? network.graph : network;
}

/** Returns the classifier of a network. */
export function classifierOf(network: Network): Classifier {
  if (network.kind === "onnx") return network.classifier;
  const { graph, parameters } = network;
  const node = graph.nodes.find(({ name }) => name === graph.logits);
  const prefix = node?.op === "linear" ? node.prefix : graph.logits;
  const { classes, dimensions } = graph;
  return {
    weight: parameters.get(`${prefix}.weight`)!,
    bias: parameters.get(`${prefix}.bias`)!,
    classes,
    dimensions,
  };
}
