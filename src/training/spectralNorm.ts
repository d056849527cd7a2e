import type { Graph, Node, ParameterShape } from "../networks/graph.ts";
import { describeNetwork } from "../networks/resnet.ts";
import type { NetworkSpec } from "../networks/spec.ts";

/** As in `torch.nn.functional.normalize`. */
export const SMALLEST_NORM = 1e-12;

/** Returns the network of `spec` as it is trained. */
export function describeTraining(spec: NetworkSpec): Graph {
  const graph = describeNetwork(spec);
  return spec.sn ? withSpectralNorm(graph, spec.coeff) : graph;
}

/**
 * Returns the network of `graph` as it is trained under DDU's soft spectral normalisation (arXiv 2102.11582, as its code has
 * it): a convolution works with `W/f`, `f = max(1, σ/coeff) + 1e-5` (1×1 kernels: without the 1e-5). In every step
 * `v = adjoint(u)/‖adjoint(u)‖`, `u = conv(v)/‖conv(v)‖`, and `σ = ⟨u, conv(v, W)⟩` is differentiated with u and v fixed.
 * For a 1×1 kernel both are vectors of channels, else one map each.
 */
function withSpectralNorm(graph: Graph, coeff: number): Graph {
  const shapes = new Map(graph.parameters.map((parameter) => [parameter.name, parameter.shape]));
  const sides = sidesOf(graph, shapes);
  const normed = new Map<string, ParameterShape[]>();
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== "conv") return node;
    const [outputs, inputs, kernel] = shapes.get(node.weight) as [number, number, number];
    const [from, to] = kernel === 1 ? [1, 1] : [sides.get(node.input) ?? graph.size!.height, sides.get(node.name)!];
    const named = (suffix: string, shape: readonly number[], role: ParameterShape["role"]) =>
      ({ name: `${node.weight}_${suffix}`, shape, role }) as const;
    normed.set(node.weight, [
      named("orig", shapes.get(node.weight)!, "conv"),
      named("u", [outputs * to * to], "singularVector"),
      named("v", [inputs * from * from], "singularVector"),
      named("sigma", [1], "singularValue"),
    ]);
    const added = kernel === 1 ? 0 : 1e-5;
    return { ...node, spectralNorm: { coeff, added, v: [inputs, from, from], u: [outputs, to, to] } };
  });
  return {
    ...graph,
    nodes,
    parameters: graph.parameters.flatMap((parameter) => normed.get(parameter.name) ?? parameter),
  };
}

/** The side of every map, by node; images are square. */
function sidesOf({ nodes, size }: Graph, shapes: ReadonlyMap<string, readonly number[]>): ReadonlyMap<string, number> {
  const sides = new Map<string, number>();
  for (const node of nodes) {
    const before = sides.get(node.op === "add" ? node.inputs[0] : node.input) ?? size!.height;
    const slid = (kernel: number, stride: number, padding: number) =>
      Math.floor((before + 2 * padding - kernel) / stride) + 1;
    if (node.op === "conv") sides.set(node.name, slid(shapes.get(node.weight)![2]!, node.stride, node.padding));
    else if (node.op === "averagePool") sides.set(node.name, slid(node.kernel, node.stride, 0));
    else sides.set(node.name, before);
  }
  return sides;
}
