import { CollapsarError } from "../../errors.ts";
import type { Graph } from "../../networks/graph.ts";
import { INPUT } from "../../networks/graph.ts";
import type { Network } from "../../networks/network.ts";
import type { InputKind } from "../engine.ts";
import type { FoldedNode } from "./fold.ts";
import { foldBatchNorms } from "./fold.ts";
import type { OnnxConstant, OnnxNode } from "./schema.ts";
import { encodeModel } from "./schema.ts";

/** Name of the graph input, whose images `INPUT` stands for once they are normalised. */
const IMAGES = "images";
const SMALLEST_NORM = 1e-12;

/**
 * Returns the network as an ONNX file with input `images` (N×H×W×C uint8 or N×C×H×W float32, N free) and outputs
 * `features` (N×D) and `logits` (N×C); batch norms folded, pixels normalised inside.
 * @throws CollapsarError `missing-metadata` where pixels are to be normalised and mean and std are unknown.
 */
export function toOnnx(network: Network, input: InputKind): Uint8Array {
  const { graph } = network;
  const parts = [inputPart(graph, input), ...foldBatchNorms(network).map((node) => nodePart(node, network))];
  const outputs = { features: graph.features, logits: graph.logits };
  const renamed = Object.entries(outputs).map(([output, node]) => ({ opType: "Identity", input: [node], output }));
  const { channels, height, width, dimensions, classes } = graph;
  return encodeModel({
    nodes: [...parts.flatMap(({ nodes }) => nodes), ...renamed],
    constants: parts.flatMap(({ constants }) => constants),
    inputs: [
      input === "pixels"
        ? { name: IMAGES, element: "uint8", dims: ["N", height, width, channels] }
        : { name: IMAGES, element: "float", dims: ["N", channels, height, width] },
    ],
    outputs: [
      { name: "features", element: "float", dims: ["N", dimensions] },
      { name: "logits", element: "float", dims: ["N", classes] },
    ],
  });
}

interface Part {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
}

function inputPart({ normalisation, channels }: Graph, input: InputKind): Part {
  if (input === "normalised") return { nodes: [{ opType: "Identity", input: [IMAGES], output: INPUT }], constants: [] };
  if (!normalisation)
    throw new CollapsarError(
      "missing-metadata",
      "the checkpoint does not say how its pixels are normalised: give mean and std (per channel, of pixel/255)",
    );
  const { mean, std } = normalisation;
  const scale = Float32Array.from(std, (value) => 1 / (255 * value));
  const shift = Float32Array.from(mean, (value, channel) => -value / std[channel]!);
  return {
    nodes: [
      { opType: "Transpose", input: [IMAGES], output: "channelsFirst", attributes: { perm: [0, 3, 1, 2] } },
      { opType: "Cast", input: ["channelsFirst"], output: "numbers", attributes: { to: 1 } },
      { opType: "Mul", input: ["numbers", "pixelScale"], output: "scaled" },
      { opType: "Add", input: ["scaled", "pixelShift"], output: INPUT },
    ],
    constants: [
      { name: "pixelScale", dims: [1, channels, 1, 1], values: scale },
      { name: "pixelShift", dims: [1, channels, 1, 1], values: shift },
    ],
  };
}

function nodePart(node: FoldedNode, { graph, parameters }: Network): Part {
  const output = node.name;
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
    case "relu":
      return { nodes: [{ opType: "Relu", input: [node.input], output }], constants: [] };
    case "add":
      return { nodes: [{ opType: "Add", input: node.inputs, output }], constants: [] };
    case "globalAveragePool":
      return {
        nodes: [
          { opType: "GlobalAveragePool", input: [node.input], output: `${output}.map` },
          { opType: "Flatten", input: [`${output}.map`], output },
        ],
        constants: [],
      };
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
      return {
        nodes: [{ opType: "Gemm", input: [node.input, weight, bias], output, attributes: { transB: 1 } }],
        constants: [
          { name: weight, dims: [graph.classes, graph.dimensions], values: parameters.get(weight)! },
          { name: bias, dims: [graph.classes], values: parameters.get(bias)! },
        ],
      };
    }
  }
}
