import { ELEMENT, encodePieces, type OnnxConstant, type OnnxNode } from "../../checkpoints/onnx/schema.ts";
import type { Graph } from "../../networks/graph.ts";
import { INPUT } from "../../networks/graph.ts";
import type { GraphNetwork } from "../../networks/network.ts";
import type { FoldedNode } from "../fold.ts";
import { foldBatchNorms } from "../fold.ts";
import { pixelAffine } from "../pixels.ts";
import { type MapSize, mapSizes } from "./mapSizes.ts";
import { isForWinograd, winogradConv } from "./winograd.ts";

/** Name of the graph input, whose images `INPUT` stands for once they are normalised. */
export const IMAGES = "images";
const SMALLEST_NORM = 1e-12;

/** What the graph takes: uint8 N×H×W×C or normalised float32 N×C×H×W; a side of null is free. */
export interface OnnxInput {
  readonly kind: "pixels" | "normalised";
  readonly height: number | null;
  readonly width: number | null;
}

export interface OnnxOptions {
  /** Become the properties of the file. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Rewrites what ONNX Runtime computes slowly (`winogradConv`); default: one node for each convolution. */
  readonly fast?: boolean;
}

/**
 * Returns the network as an ONNX file with input `images` (N×H×W×C uint8 or N×C×H×W float32, N free) and outputs
 * `features` (N×D) and `logits` (N×C); batch norms folded, pixels normalised inside.
 * @throws CollapsarError `missing-metadata` where pixels are to be normalised and mean and std are unknown.
 */
export function toOnnx(network: GraphNetwork, input: OnnxInput, options: OnnxOptions = {}): Uint8Array {
  return Buffer.concat(toOnnxPieces(network, input, options));
}

/** Returns the bytes of `toOnnx` in pieces that come one after the other. */
export function toOnnxPieces(
  network: GraphNetwork,
  { kind, height, width }: OnnxInput,
  { metadata = {}, fast = false }: OnnxOptions = {},
): readonly Uint8Array[] {
  const { graph } = network;
  const nodes = foldBatchNorms(network);
  const sizes = fast && height && width ? mapSizes(nodes, { height, width }) : new Map<string, MapSize>();
  const writeNode = (node: FoldedNode) =>
    node.op === "foldedConv" && isForWinograd(node, sizes)
      ? winogradConv(node, sizes.get(node.input)!)
      : nodePart(node, network);
  const parts = [inputPart(graph, kind), ...nodes.map(writeNode)];
  const outputs = { features: graph.features, logits: graph.logits };
  const renamed = Object.entries(outputs).map(([output, node]) => ({ opType: "Identity", input: [node], output }));
  const { channels, dimensions, classes } = graph;
  const sides = [height ?? "H", width ?? "W"];
  return encodePieces({
    nodes: [...parts.flatMap(({ nodes }) => nodes), ...renamed],
    constants: parts.flatMap(({ constants }) => constants),
    inputs: [
      kind === "pixels"
        ? { name: IMAGES, element: "uint8", dims: ["N", ...sides, channels] }
        : { name: IMAGES, element: "float", dims: ["N", channels, ...sides] },
    ],
    outputs: [
      { name: "features", element: "float", dims: ["N", dimensions] },
      { name: "logits", element: "float", dims: ["N", classes] },
    ],
    metadata,
  });
}

interface Part {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
}

function inputPart(graph: Graph, kind: OnnxInput["kind"]): Part {
  if (kind === "normalised") return { nodes: [{ opType: "Identity", input: [IMAGES], output: INPUT }], constants: [] };
  const { factor, shift } = pixelAffine(graph);
  const channels = { opType: "Transpose", input: [IMAGES], output: "channels", attributes: { perm: [0, 3, 1, 2] } };
  const numbers = { opType: "Cast", input: ["channels"], output: "numbers", attributes: { to: ELEMENT.float } };
  const { nodes, constants } = affinePart("numbers", INPUT, factor, shift);
  return { nodes: [channels, numbers, ...nodes], constants };
}

/** `x·factor + shift` per channel of an N×C×H×W map. */
function affinePart(input: string, output: string, factor: Iterable<number>, shift: Iterable<number>): Part {
  const [factors, shifts] = [Float32Array.from(factor), Float32Array.from(shift)];
  const dims = [1, factors.length, 1, 1];
  return {
    nodes: [
      { opType: "Mul", input: [input, `${output}.factor`], output: `${output}.scaled` },
      { opType: "Add", input: [`${output}.scaled`, `${output}.shift`], output },
    ],
    constants: [
      { name: `${output}.factor`, dims, values: factors },
      { name: `${output}.shift`, dims, values: shifts },
    ],
  };
}

function nodePart(node: FoldedNode, { graph, parameters }: GraphNetwork): Part {
  const output = node.name;
  const only = (...nodes: OnnxNode[]): Part => ({ nodes, constants: [] });
  switch (node.op) {
    case "foldedConv": {
      const { stride, padding, shape } = node;
      const attributes = {
        strides: [stride, stride],
        pads: Array<number>(4).fill(padding),
        kernel_shape: shape.slice(2),
      };
      return {
        nodes: [{ opType: "Conv", input: [node.input, `${output}.w`, `${output}.b`], output, attributes }],
        constants: [
          { name: `${output}.w`, dims: shape, values: node.weight },
          { name: `${output}.b`, dims: [shape[0]!], values: node.bias },
        ],
      };
    }
    case "affine":
      return affinePart(node.input, output, node.factor, node.shift);
    case "relu":
      return only({ opType: "Relu", input: [node.input], output });
    case "leakyRelu":
      return only({ opType: "LeakyRelu", input: [node.input], output, floats: { alpha: node.slope } });
    case "add":
      return only({ opType: "Add", input: node.inputs, output });
    case "maxPool":
      return only({ opType: "MaxPool", input: [node.input], output, attributes: window(node, node.padding) });
    case "averagePool":
      return only({ opType: "AveragePool", input: [node.input], output, attributes: window(node, 0) });
    case "zeroPad":
      return padPart(node.input, output, [0, 0, node.top, node.left, 0, 0, node.bottom, node.right]);
    case "padChannels":
      return padPart(node.input, output, [0, 0, 0, 0, 0, node.added, 0, 0]);
    case "globalAveragePool":
      return only(
        { opType: "GlobalAveragePool", input: [node.input], output: `${output}.map` },
        { opType: "Flatten", input: [`${output}.map`], output },
      );
    case "flatten":
      return only(
        { opType: "Transpose", input: [node.input], output: `${output}.rows`, attributes: { perm: [0, 2, 3, 1] } },
        { opType: "Flatten", input: [`${output}.rows`], output },
      );
    case "l2Normalize":
      return {
        nodes: [
          { opType: "ReduceL2", input: [node.input], output: `${output}.norm`, attributes: { axes: [1], keepdims: 1 } },
          { opType: "Max", input: [`${output}.norm`, `${output}.least`], output: `${output}.divisor` },
          { opType: "Div", input: [node.input, `${output}.divisor`], output },
        ],
        constants: [{ name: `${output}.least`, dims: [1, 1], values: Float32Array.of(SMALLEST_NORM) }],
      };
    case "linear": {
      const weight = `${node.prefix}.weight`;
      const bias = `${node.prefix}.bias`;
      const shapeOf = (name: string) => graph.parameters.find((parameter) => parameter.name === name)!.shape;
      return {
        nodes: [{ opType: "Gemm", input: [node.input, weight, bias], output, attributes: { transB: 1 } }],
        constants: [weight, bias].map((name) => ({ name, dims: shapeOf(name), values: parameters.get(name)! })),
      };
    }
  }
}

function window({ kernel, stride }: { kernel: number; stride: number }, padding: number) {
  return { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: Array<number>(4).fill(padding) };
}

function padPart(input: string, output: string, pads: readonly number[]): Part {
  const name = `${output}.pads`;
  return {
    nodes: [{ opType: "Pad", input: [input, name], output }],
    constants: [{ name, dims: [pads.length], values: BigInt64Array.from(pads, BigInt) }],
  };
}
