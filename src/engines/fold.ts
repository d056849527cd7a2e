import type { Node } from "../networks/graph.ts";
import type { GraphNetwork } from "../networks/network.ts";

/** A convolution with its weights (out×in×k×k) and a bias (out), named after the node whose output it computes. */
export interface FoldedConv {
  readonly op: "foldedConv";
  readonly name: string;
  readonly input: string;
  readonly stride: number;
  readonly padding: number;
  readonly shape: readonly number[];
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** `x·factor + shift` per channel: a batch norm that follows no convolution of its own. */
export interface Affine {
  readonly op: "affine";
  readonly name: string;
  readonly input: string;
  readonly factor: Float32Array;
  readonly shift: Float32Array;
}

export type FoldedNode = Exclude<Node, { op: "conv" | "batchNorm" }> | FoldedConv | Affine;

/**
 * Returns the nodes of the network with every batch norm folded into the convolution before it, where nothing else reads
 * that: `w' = w·s`, `b' = (b − running_mean)·s + bias`, `s = weight/√(running_var + ε)`, computed in float64.
 */
export function foldBatchNorms(network: GraphNetwork): FoldedNode[] {
  const { nodes, features, logits } = network.graph;
  const readers = new Map<string, number>([
    [features, 1],
    [logits, 1],
  ]);
  for (const node of nodes)
    for (const input of node.op === "add" ? node.inputs : [node.input])
      readers.set(input, (readers.get(input) ?? 0) + 1);
  const convs = new Map(nodes.flatMap((node) => (node.op === "conv" ? [[node.name, node] as const] : [])));
  const absorbed = new Set<string>();
  for (const node of nodes)
    if (node.op === "batchNorm" && convs.has(node.input) && readers.get(node.input) === 1) absorbed.add(node.input);
  return nodes.flatMap((node): FoldedNode[] => {
    if (node.op === "conv") return absorbed.has(node.name) ? [] : [foldedConv(network, node, null)];
    if (node.op !== "batchNorm") return [node];
    const affine = affineOf(network, node);
    const conv = absorbed.has(node.input) ? convs.get(node.input) : undefined;
    return [
      conv
        ? foldedConv(network, conv, affine)
        : { op: "affine", name: node.name, input: node.input, ...rounded(affine) },
    ];
  });
}

type Conv = Extract<Node, { op: "conv" }>;
type BatchNorm = Extract<Node, { op: "batchNorm" }>;

interface NamedAffine {
  readonly name: string;
  readonly factor: Float64Array;
  readonly shift: Float64Array;
}

function affineOf({ parameters }: GraphNetwork, { name, prefix, epsilon }: BatchNorm): NamedAffine {
  const [scale, offset, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(
    (suffix) => parameters.get(`${prefix}.${suffix}`)!,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const factor = Float64Array.from(scale, (value, channel) => value / Math.sqrt(variance[channel]! + epsilon));
  const shift = factor.map((value, channel) => offset[channel]! - mean[channel]! * value);
  return { name, factor, shift };
}

function rounded({ factor, shift }: NamedAffine) {
  return { factor: Float32Array.from(factor), shift: Float32Array.from(shift) };
}

function foldedConv({ graph, parameters }: GraphNetwork, conv: Conv, affine: NamedAffine | null): FoldedConv {
  const { input, stride, padding } = conv;
  const { shape } = graph.parameters.find(({ name }) => name === conv.weight)!;
  const kernel = parameters.get(conv.weight)!;
  const own = conv.bias === undefined ? new Float32Array(shape[0]!) : parameters.get(conv.bias)!;
  const at = { op: "foldedConv", name: affine?.name ?? conv.name, input, stride, padding, shape } as const;
  if (!affine) return { ...at, weight: kernel, bias: own };
  const { factor, shift } = affine;
  const perChannel = kernel.length / factor.length;
  const weight = new Float32Array(kernel.length);
  for (let channel = 0; channel < factor.length; channel++)
    for (let i = channel * perChannel; i < (channel + 1) * perChannel; i++) weight[i] = kernel[i]! * factor[channel]!;
  return { ...at, weight, bias: Float32Array.from(own, (value, c) => value * factor[c]! + shift[c]!) };
}
