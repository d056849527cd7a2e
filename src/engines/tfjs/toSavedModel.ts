import { INPUT } from "../../networks/graph.ts";
import type { GraphNetwork } from "../../networks/network.ts";
import type { ImageInput } from "../engine.ts";
import type { FoldedConv, FoldedNode } from "../fold.ts";
import { foldBatchNorms } from "../fold.ts";
import { pixelAffine } from "../pixels.ts";
import { type Attributes, convAttributes, GraphWriter, INDEX, T, windowAttributes } from "./graphWriter.ts";
import type { Feed } from "./nativeSession.ts";

/** Names of what goes into the graph and what comes out. */
export const IMAGES = "images";
export const OUTPUTS = ["features", "logits"] as const;
/** Comes out of the graph where all its weights are fed: they are set. */
export const READY = "ready";

const SMALLEST_NORM = 1e-12;

/** A network as TensorFlow takes it. */
export interface SavedModel {
  /** `saved_model.pb`: small, for it holds no weights. */
  readonly file: Uint8Array;
  /** What is to be fed once under these names, before anything else is asked for. */
  readonly weights: readonly Feed[];
}

/**
 * Returns the network as a graph with the input `images` (N×H×W×C uint8 or N×C×H×W float32, N free) and the outputs
 * `features` (N×D) and `logits` (N×C); batch norms folded, pixels normalised inside, maps N×H×W×C. Weights are variables:
 * TensorFlow keeps up to nine copies of constants (2.1 GB for ResNet50).
 * @throws CollapsarError `missing-metadata` where pixels are to be normalised and mean and std are unknown.
 */
export function toSavedModel(network: GraphNetwork, input: ImageInput): SavedModel {
  const nodes = foldBatchNorms(network);
  // TensorFlow does not take every name
  const names = new Map([[INPUT, "input"], ...nodes.map(({ name }, i) => [name, `node${i}`] as const)]);
  const writer = new ModelWriter();
  writeInput(writer, network, input, names.get(INPUT)!);
  for (const node of nodes) {
    const inputs = (node.op === "add" ? node.inputs : [node.input]).map((name) => names.get(name)!);
    writeNode(writer, node, names.get(node.name)!, inputs, network);
  }
  for (const output of OUTPUTS) writer.push(output, "Identity", [names.get(network.graph[output])!]);
  writer.done(
    READY,
    writer.weights.map(({ name }) => setterOf(name)),
  );
  return { file: writer.encode(), weights: writer.weights };
}

/** The graph that is written, and the weights it is to be fed. */
class ModelWriter extends GraphWriter {
  readonly weights: Feed[] = [];

  /** Adds a variable, what it is set to, and its value, whose name is returned. */
  floats(name: string, numbers: Iterable<number>, ...dims: number[]): string {
    const values = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
    const variable = this.variable(name, dims);
    const fed = this.push(`${name}.fed`, "Placeholder", [], { dtype: T, shape: { shape: dims } });
    this.push(setterOf(fed), "AssignVariableOp", [variable, fed], { dtype: T });
    this.weights.push({ name: fed, dims, values });
    return this.read(`${name}.value`, variable);
  }
}

const setterOf = (fed: string) => `${fed}.set`;

function writeInput(writer: ModelWriter, { graph }: GraphNetwork, { kind, height, width }: ImageInput, name: string) {
  const { channels } = graph;
  if (kind === "normalised") {
    writer.push(IMAGES, "Placeholder", [], { dtype: T, shape: { shape: [-1, channels, height, width] } });
    const order = writer.integers("order", [0, 2, 3, 1], 4);
    return writer.push(name, "Transpose", [IMAGES, order], { T, Tperm: INDEX });
  }
  const { factor, shift } = pixelAffine(graph);
  const pixel = { type: "uint8" } as const;
  writer.push(IMAGES, "Placeholder", [], { dtype: pixel, shape: { shape: [-1, height, width, channels] } });
  const numbers = writer.push("numbers", "Cast", [IMAGES], { SrcT: pixel, DstT: T });
  return writeAffine(writer, name, numbers, factor, shift);
}

/** `x·factor + shift` per channel. */
function writeAffine(
  writer: ModelWriter,
  name: string,
  input: string,
  factor: Iterable<number> & { readonly length: number },
  shift: Iterable<number>,
): string {
  const factors = writer.floats(`${name}.factor`, factor, factor.length);
  const scaled = writer.push(`${name}.scaled`, "Mul", [input, factors]);
  return writer.push(name, "AddV2", [scaled, writer.floats(`${name}.shift`, shift, factor.length)]);
}

function writeNode(
  writer: ModelWriter,
  node: FoldedNode,
  name: string,
  inputs: readonly string[],
  network: GraphNetwork,
): string {
  const push = (op: string, input: readonly string[], attributes?: Attributes) =>
    writer.push(name, op, input, attributes);
  const pad = (...sides: number[]) =>
    push("Pad", [...inputs, writer.integers(`${name}.sides`, sides, 4, 2)], { T, Tpaddings: INDEX });
  switch (node.op) {
    case "foldedConv":
      return writeConv(writer, node, name, inputs[0]!);
    case "affine":
      return writeAffine(writer, name, inputs[0]!, node.factor, node.shift);
    case "relu":
      return push("Relu", inputs);
    case "leakyRelu":
      return push("LeakyRelu", inputs, { T, alpha: { number: node.slope } });
    case "add":
      return push("AddV2", inputs);
    case "maxPool":
      return push("MaxPool", inputs, windowAttributes(node, node.padding));
    case "averagePool":
      return push("AvgPool", inputs, windowAttributes(node, 0));
    case "zeroPad":
      return pad(0, 0, node.top, node.bottom, node.left, node.right, 0, 0);
    case "padChannels":
      return pad(0, 0, 0, 0, 0, 0, 0, node.added);
    case "globalAveragePool":
      return push("Mean", [...inputs, writer.integers(`${name}.axes`, [1, 2], 2)], { T, Tidx: INDEX });
    case "flatten": {
      const shape = writer.integers(`${name}.shape`, [-1, rowLength(node.name, network)], 2);
      return push("Reshape", [...inputs, shape], { T, Tshape: INDEX });
    }
    case "l2Normalize":
      return writeL2Normalize(writer, name, inputs[0]!);
    case "linear":
      return writeLinear(writer, node.prefix, name, inputs[0]!, network);
  }
}

function writeConv(
  writer: ModelWriter,
  { weight, shape, bias, stride, padding }: FoldedConv,
  name: string,
  input: string,
): string {
  const [outputs, inputs, kernel] = shape as [number, number, number];
  const filter = writer.floats(
    `${name}.filter`,
    filterOf(weight, outputs, inputs, kernel * kernel),
    ...[kernel, kernel, inputs, outputs],
  );
  const products = writer.push(`${name}.products`, "Conv2D", [input, filter], convAttributes(stride, padding));
  return writer.push(name, "BiasAdd", [products, writer.floats(`${name}.bias`, bias, outputs)]);
}

/** Weights out×in×k×k, as PyTorch has them, as k×k×in×out. */
function filterOf(weight: Float32Array, outputs: number, inputs: number, places: number): Float32Array {
  const filter = new Float32Array(weight.length);
  for (let output = 0, from = 0; output < outputs; output++)
    for (let input = 0; input < inputs; input++)
      for (let place = 0; place < places; place++, from++)
        filter[(place * inputs + input) * outputs + output] = weight[from]!;
  return filter;
}

/** `h / max(‖h‖₂, 1e-12)`. */
function writeL2Normalize(writer: ModelWriter, name: string, input: string): string {
  const squares = writer.push(`${name}.squares`, "Square", [input]);
  const sum = writer.push(`${name}.sum`, "Sum", [squares, writer.integers(`${name}.axis`, [1], 1)], {
    ...{ T, Tidx: INDEX, keep_dims: { flag: true } },
  });
  const norm = writer.push(`${name}.norm`, "Sqrt", [sum]);
  const divisor = writer.push(`${name}.divisor`, "Maximum", [norm, writer.floats(`${name}.least`, [SMALLEST_NORM])]);
  return writer.push(name, "RealDiv", [input, divisor]);
}

/** `h Wᵀ + b`, with W as the checkpoint has it, C×D. */
function writeLinear(
  writer: ModelWriter,
  prefix: string,
  name: string,
  input: string,
  { parameters }: GraphNetwork,
): string {
  const [weight, bias] = [parameters.get(`${prefix}.weight`)!, parameters.get(`${prefix}.bias`)!];
  const matrix = writer.floats(`${name}.weight`, weight, bias.length, weight.length / bias.length);
  const products = writer.push(`${name}.products`, "MatMul", [input, matrix], { T, transpose_b: { flag: true } });
  return writer.push(name, "BiasAdd", [products, writer.floats(`${name}.bias`, bias, bias.length)]);
}

/** How long the rows of a `flatten` are: TensorFlow must be told, and the linear layer that follows knows. */
function rowLength(name: string, { graph }: GraphNetwork): number {
  const after = graph.nodes.slice(graph.nodes.findIndex((node) => node.name === name));
  const linear = after.find((node) => node.op === "linear")!;
  return graph.parameters.find((parameter) => parameter.name === `${linear.prefix}.weight`)!.shape[1]!;
}
