import type { GraphProto, NodeProto } from "../../checkpoints/onnx/schema.ts";
import { CollapsarError } from "../../errors.ts";
import { INPUT, type Node, type ParameterShape } from "../graph.ts";
import type { GraphNetwork, OnnxNetwork } from "../network.ts";
import { constantOf, type FloatConstant } from "./constants.ts";

/** What a value of the ONNX graph is in ours: a map, of known size or not, or a vector. */
interface Value {
  readonly node: string;
  readonly channels: number;
  /** Height and width; null where they depend on the images, "vector" where there are none. */
  readonly size: readonly [number, number] | null | "vector";
}

/** Writes one operator, and returns what it gives; null where it is used in a way we do not compute. */
type Convert = (node: NodeProto, writer: OnnxWriter) => Value | null;

/** By ONNX's name. Each reads maps of N×C×H×W, or vectors of N×D. */
const CONVERT: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ["Conv", conv],
  ["BatchNormalization", batchNorm],
  ["Relu", (node, writer) => writer.write(node, { op: "relu" })],
  ["LeakyRelu", (node, writer) => writer.write(node, { op: "leakyRelu", slope: attribute(node, "alpha")?.f ?? 0.01 })],
  ["Add", add],
  ["MaxPool", pool],
  ["AveragePool", pool],
  ["GlobalAveragePool", (node, writer) => writer.vector(node, "globalAveragePool")],
  ["Flatten", flatten],
  ["Identity", (node, writer) => writer.value(node.input[0]!)],
  ["Dropout", (node, writer) => writer.value(node.input[0]!)],
]);

/**
 * Returns the network of an ONNX file as a graph that every engine runs, up to its features; the classifier follows.
 * @throws CollapsarError `unsupported-network` that names the operator we do not compute.
 */
export function graphOfOnnx(proto: GraphProto, network: Omit<OnnxNetwork, "toGraph">): GraphNetwork {
  const { input, features, classifier, channels, size, normalisation, dimensions, classes } = network;
  if (input.kind === "pixels") throw unsupported("it normalises pixels itself");
  const writer = new OnnxWriter(proto, input.name, { channels, size: size && [size.height, size.width] });
  for (const node of proto.node) writer.convert(node);
  const found = writer.value(features);
  if (found?.size !== "vector" || found.channels !== dimensions)
    throw unsupported(writer.refused ?? `"${features}" is no vector of features`);
  const logits = `${PREFIX}logits`;
  writer.nodes.push({ op: "linear", name: logits, input: found.node, prefix: logits });
  writer.parameter(`${logits}.weight`, "linearWeight", [classes, dimensions], Float32Array.from(classifier.weight));
  writer.parameter(`${logits}.bias`, "linearBias", [classes], Float32Array.from(classifier.bias));
  const { nodes, shapes: parameters } = writer;
  return {
    kind: "graph",
    graph: { channels, size, normalisation, dimensions, classes, nodes, features: found.node, logits, parameters },
    parameters: writer.parameters,
  };
}

/** Keeps the names of the file apart from our own. */
const PREFIX = "onnx:";

function unsupported(what: string): CollapsarError {
  return new CollapsarError("unsupported-network", `the ONNX file runs on the engine onnxruntime only: ${what}`);
}

function attribute({ attribute: all }: NodeProto, name: string) {
  return all.find((one) => one.name === name);
}

/** The node without what follows from its place. */
type Operation = Node extends infer N ? (N extends Node ? Omit<N, "name" | "input" | "inputs"> : never) : never;

class OnnxWriter {
  readonly nodes: Node[] = [];
  readonly shapes: ParameterShape[] = [];
  readonly parameters = new Map<string, Float32Array>();
  /** What stood in the way first, of all that reads what could be computed. */
  refused: string | undefined;
  readonly #values: Map<string, Value>;
  readonly #proto: GraphProto;
  readonly #producers: ReadonlyMap<string, NodeProto>;

  constructor(proto: GraphProto, input: string, images: Pick<Value, "channels" | "size">) {
    this.#proto = proto;
    this.#producers = new Map(proto.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
    this.#values = new Map([[input, { node: INPUT, ...images }]]);
  }

  convert(node: NodeProto): void {
    if (!node.input.some((name) => this.#values.has(name))) return;
    const value = node.domain === "" ? CONVERT.get(node.opType)?.(node, this) : null;
    if (value) this.#values.set(node.output[0]!, value);
    else this.refused ??= `its operator ${node.opType} ("${node.output[0]}") is none that we compute`;
  }

  value(name: string): Value | null {
    return this.#values.get(name) ?? null;
  }

  constant(name: string | undefined): FloatConstant | null {
    return name ? constantOf(this.#proto, name, this.#producers) : null;
  }

  parameter(name: string, role: ParameterShape["role"], shape: readonly number[], values: Float32Array): string {
    this.shapes.push({ name, role, shape });
    this.parameters.set(name, values);
    return name;
  }

  /** An operation of the node's first input; `changed` is what of the value is another then. */
  write(
    node: NodeProto,
    operation: Operation,
    changed: Partial<Value> = {},
    input = this.value(node.input[0]!),
  ): Value | null {
    if (!input) return null;
    const name = `${PREFIX}${node.output[0]}`;
    this.nodes.push({ ...operation, name, input: input.node } as Node);
    return { ...input, ...changed, node: name };
  }

  vector(node: NodeProto, op: "globalAveragePool" | "flatten"): Value | null {
    const size = this.value(node.input[0]!)?.size;
    return size === "vector" ? null : this.write(node, { op }, { size: "vector" });
  }
}

/** The one number of which all of a list consist, or null where they differ. */
function same(list: readonly number[] | undefined, absent: number): number | null {
  const [first = absent, ...rest] = list ?? [];
  return rest.every((value) => value === first) ? first : null;
}

interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** Square windows, the same padding on all sides, nothing rounded up. */
function windowOf(node: NodeProto): Window | null {
  const list = (name: string) => attribute(node, name)?.ints;
  const [kernel, stride, padding] = [same(list("kernel_shape"), 0), same(list("strides"), 1), same(list("pads"), 0)];
  const plain =
    same(list("dilations"), 1) === 1 &&
    (attribute(node, "group")?.i ?? 1) === 1 &&
    (attribute(node, "ceil_mode")?.i ?? 0) === 0 &&
    ["", "NOTSET"].includes(new TextDecoder().decode(attribute(node, "auto_pad")?.s ?? new Uint8Array()));
  return plain && kernel && stride && padding !== null ? { kernel, stride, padding } : null;
}

function slid(size: Value["size"], { kernel, stride, padding }: Window): Value["size"] {
  if (size === null || size === "vector") return size;
  const [height, width] = size.map((side) => Math.floor((side + 2 * padding - kernel) / stride) + 1);
  if (height! < 1 || width! < 1) throw unsupported("its maps come to nothing");
  return [height!, width!];
}

function conv(node: NodeProto, writer: OnnxWriter): Value | null {
  const input = writer.value(node.input[0]!);
  const weight = writer.constant(node.input[1]);
  const window = windowOf(node);
  const [outputs, inputs, height, width] = weight?.dims ?? [];
  if (
    !input ||
    input.size === "vector" ||
    !weight ||
    !window ||
    inputs !== input.channels ||
    height !== window.kernel ||
    width !== height
  )
    return null;
  const name = `${PREFIX}${node.output[0]}`;
  const bias = writer.constant(node.input[2]);
  if (node.input[2] && bias?.values.length !== outputs) return null;
  const { stride, padding } = window;
  writer.parameter(`${name}.weight`, "conv", weight.dims, weight.values);
  if (bias) writer.parameter(`${name}.bias`, "offset", [outputs!], bias.values);
  const operation = {
    op: "conv" as const,
    weight: `${name}.weight`,
    ...(bias && { bias: `${name}.bias` }),
    stride,
    padding,
  };
  return writer.write(node, operation, { channels: outputs!, size: slid(input.size, window) });
}

function batchNorm(node: NodeProto, writer: OnnxWriter): Value | null {
  const input = writer.value(node.input[0]!);
  const constants = node.input.slice(1).map((name) => writer.constant(name)?.values);
  if (!input || input.size === "vector" || constants.length !== 4) return null;
  if (constants.some((values) => values?.length !== input.channels)) return null;
  const prefix = `${PREFIX}${node.output[0]}`;
  const roles = {
    weight: "scale",
    bias: "offset",
    running_mean: "runningMean",
    running_var: "runningVariance",
  } as const;
  for (const [i, [suffix, role]] of Object.entries(roles).entries())
    writer.parameter(`${prefix}.${suffix}`, role, [input.channels], constants[i]!);
  return writer.write(node, { op: "batchNorm", prefix, epsilon: attribute(node, "epsilon")?.f ?? 1e-5 });
}

function add(node: NodeProto, writer: OnnxWriter): Value | null {
  const [left, right] = node.input.map((name) => writer.value(name));
  if (!left || !right || left.channels !== right.channels || String(left.size) !== String(right.size)) return null;
  const name = `${PREFIX}${node.output[0]}`;
  writer.nodes.push({ op: "add", name, inputs: [left.node, right.node] });
  return { ...left, node: name };
}

function pool(node: NodeProto, writer: OnnxWriter): Value | null {
  const input = writer.value(node.input[0]!);
  const window = windowOf(node);
  if (!input || !window || input.size === "vector") return null;
  const { kernel, stride, padding } = window;
  const changed = { size: slid(input.size, window) };
  if (node.opType === "MaxPool") return writer.write(node, { op: "maxPool", kernel, stride, padding }, changed);
  return padding > 0 ? null : writer.write(node, { op: "averagePool", kernel, stride }, changed);
}

/** Ours puts channels last, which is the same where the map is one pixel. */
function flatten(node: NodeProto, writer: OnnxWriter): Value | null {
  const input = writer.value(node.input[0]!);
  if (!input || (attribute(node, "axis")?.i ?? 1) !== 1) return null;
  if (input.size === "vector") return input;
  return input.size && String(input.size) === "1,1" ? writer.vector(node, "flatten") : null;
}
