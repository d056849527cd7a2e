import type { Node } from "../../networks/graph.ts";
import { BATCH_NORM_EPSILON } from "../../networks/graph.ts";
import type { Network } from "../../networks/network.ts";

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

export type FoldedNode = Exclude<Node, { op: "conv" | "batchNorm" }> | FoldedConv;

/**
 * Returns the nodes of the network with every batch norm folded into the convolution before it:
 * `w' = w·s`, `b' = bias − running_mean·s`, `s = weight/√(running_var + ε)`, computed in float64. In the networks we know
 * each batch norm follows a convolution that nothing else reads.
 */
export function foldBatchNorms({ graph, parameters }: Network): FoldedNode[] {
  const convs = new Map(graph.nodes.flatMap((node) => (node.op === "conv" ? [[node.name, node] as const] : [])));
  return graph.nodes.flatMap((node): FoldedNode[] => {
    if (node.op === "conv") return [];
    if (node.op !== "batchNorm") return [node];
    const conv = convs.get(node.input)!;
    const { shape } = graph.parameters.find(({ name }) => name === conv.weight)!;
    const [weight, bias] = scaled(parameters, conv.weight, node.prefix);
    const { input, stride, padding } = conv;
    return [{ op: "foldedConv", name: node.name, input, stride, padding, shape, weight, bias }];
  });
}

function scaled(parameters: Network["parameters"], conv: string, norm: string): [Float32Array, Float32Array] {
  const kernel = parameters.get(conv)!;
  const [scale, offset, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(
    (suffix) => parameters.get(`${norm}.${suffix}`)!,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const weight = new Float32Array(kernel.length);
  const bias = new Float32Array(scale.length);
  const perChannel = kernel.length / scale.length;
  for (let channel = 0; channel < scale.length; channel++) {
    const factor = scale[channel]! / Math.sqrt(variance[channel]! + BATCH_NORM_EPSILON);
    bias[channel] = offset[channel]! - mean[channel]! * factor;
    for (let i = channel * perChannel; i < (channel + 1) * perChannel; i++) weight[i] = kernel[i]! * factor;
  }
  return [weight, bias];
}
