import type { GraphProto, ModelProto, NodeProto, ValueInfoProto } from "../checkpoints/onnx/schema.ts";
import { ELEMENT, withOutputs } from "../checkpoints/onnx/schema.ts";
import { CollapsarError } from "../errors.ts";
import type { Classifier, OnnxNetwork } from "./network.ts";
import { constantOf, type FloatConstant } from "./onnx/constants.ts";
import { graphOfOnnx } from "./onnx/toGraph.ts";
import { readSpec } from "./spec.ts";

/** Operators whose bodies run as often as their inputs say; no image classifier has them. */
const UNBOUNDED: readonly string[] = ["Loop", "Scan", "If", "SequenceMap"];

/** Overrides that mean something for a file that defines its own network. */
const APPLICABLE: readonly string[] = ["mean", "std"];

/**
 * Returns the network of an ONNX file: its one image input, and as outputs `features` and `logits` where it has them, else
 * what goes into and comes out of the last linear layer found in its graph. The classifier is that layer's.
 * @throws CollapsarError `unsupported-network` that names what is missing or not understood; `invalid-metadata`.
 */
export function networkFromOnnx(
  { file, model }: { readonly file: Uint8Array; readonly model: ModelProto },
  metadata: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
): OnnxNetwork {
  const graph = model.graph!;
  for (const key of Object.keys(overrides))
    if (!APPLICABLE.includes(key))
      throw new CollapsarError("invalid-metadata", `network ${key} cannot be changed: the ONNX file says what it is`);
  const { mean, std } = readSpec({ ...pick(metadata, APPLICABLE), ...overrides });
  const nodes = [...graph.node, ...model.functions.flatMap(({ node }) => node)];
  const endless = nodes.find(({ opType }) => UNBOUNDED.includes(opType));
  if (endless)
    throw unsupported(`has a node ${endless.opType}, which may run without end: expected a plain feed-forward graph`);
  const { channels, size, ...input } = imageInput(graph);
  for (const [key, list] of Object.entries({ mean, std }))
    if (list && list.length !== channels)
      throw new CollapsarError(
        "invalid-metadata",
        `network metadata ${key} has ${list.length} numbers, expected ${channels}`,
      );
  if (input.kind === "pixels" && Object.keys(overrides).length > 0)
    throw new CollapsarError(
      "invalid-metadata",
      "network mean and std cannot be changed: the ONNX file normalises pixels",
    );
  const { features, logits, classifier } = outputsOf(graph);
  const missing = [features, logits].filter((name) => !graph.output.some((output) => output.name === name));
  const network = {
    kind: "onnx" as const,
    file: missing.length > 0 ? withOutputs(file, missing) : file,
    input,
    features,
    logits,
    classifier,
    channels,
    size,
    normalisation: mean && std ? { mean, std } : null,
    dimensions: classifier.dimensions,
    classes: classifier.classes,
  };
  return { ...network, toGraph: () => graphOfOnnx(graph, network) };
}

function unsupported(what: string): CollapsarError {
  return new CollapsarError("unsupported-network", `the ONNX file ${what}`);
}

function pick(record: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => keys.includes(key)));
}

function imageInput({ input, initializer }: GraphProto) {
  const constants = new Set(initializer.map(({ name }) => name));
  const images = input.filter(({ name }) => !constants.has(name));
  const [image] = images;
  if (!image || images.length > 1) throw unsupported(`has ${images.length} inputs, expected the images alone`);
  const { element, dims } = typeOf(image);
  if (dims?.length !== 4 || (element !== ELEMENT.float && element !== ELEMENT.uint8))
    throw unsupported(`takes "${image.name}", expected images: N×C×H×W float32 or N×H×W×C uint8`);
  const pixels = element === ELEMENT.uint8;
  const [batch, ...rest] = dims as [number | null, number | null, number | null, number | null];
  const [channels, height, width] = pixels ? [rest[2], rest[0], rest[1]] : rest;
  if (channels === null || channels! < 1 || channels! > 1024)
    throw unsupported(`leaves the channels of "${image.name}" open`);
  return {
    name: image.name,
    kind: pixels ? ("pixels" as const) : ("normalised" as const),
    batch: batch!,
    channels: channels!,
    size: height === null || width === null ? null : { height: height!, width: width! },
  };
}

/** Element type and lengths of a value; null stands for a free length. */
function typeOf({ type }: ValueInfoProto): { element: number; dims: (number | null)[] | undefined } {
  const tensor = type?.tensorType;
  const dims = tensor?.shape?.dim.map(({ dimValue }) => (dimValue > 0 ? dimValue : null));
  return { element: tensor?.elemType ?? 0, dims };
}

interface LinearOutputs {
  readonly features: string;
  readonly logits: string;
  readonly classifier: Classifier;
}

function outputsOf(graph: GraphProto): LinearOutputs {
  const producers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const named = (name: string) => graph.output.some((output) => output.name === name);
  if (named("features") && named("logits")) {
    const found = linearBefore("logits", graph, producers);
    if (found && through(found.features, producers) === through("features", producers))
      return { ...found, features: "features", logits: "logits" };
    throw unsupported(
      'has outputs "features" and "logits", but these are not what goes in and out of one linear layer',
    );
  }
  const linear = graph.node.findLast(({ opType }) => opType === "Gemm" || opType === "MatMul");
  if (!linear) throw unsupported('has no linear layer (Gemm or MatMul), and no outputs "features" and "logits"');
  const [product] = linear.output as [string];
  const sum =
    linear.opType === "MatMul" && graph.node.find((node) => node.opType === "Add" && node.input.includes(product));
  const found = linearBefore(sum ? sum.output[0]! : product, graph, producers);
  if (!found) throw unsupported(`ends in "${product}", whose weights are no constants of the file`);
  return found;
}

/** Where `name` is an identity of something, returns what of. A graph in a circle has no such thing. */
function through(name: string, producers: ReadonlyMap<string, NodeProto>): string {
  let at = name;
  for (let steps = 0; producers.get(at)?.opType === "Identity" && steps < producers.size; steps++)
    at = producers.get(at)!.input[0]!;
  return at;
}

/**
 * Returns the linear layer that computes `logits`, seen through scalings by a constant (a temperature) and a separate
 * addition of the bias; null where there is none.
 */
function linearBefore(
  logits: string,
  graph: GraphProto,
  producers: ReadonlyMap<string, NodeProto>,
): LinearOutputs | null {
  const valuesOf = (name: string) => constantOf(graph, name, producers);
  let factor = 1;
  let bias: Float32Array | null = null;
  let name = logits;
  for (let steps = 0; steps < graph.node.length; steps++) {
    const node = producers.get(name);
    if (!node) return null;
    const [left, right] = node.input as [string, string];
    const attribute = (key: string) => node.attribute.find((one) => one.name === key);
    const constant = right ? valuesOf(right) : null;
    if (node.opType === "Identity") name = left;
    else if ((node.opType === "Div" || node.opType === "Mul") && constant?.values.length === 1 && !bias) {
      factor *= node.opType === "Div" ? 1 / constant.values[0]! : constant.values[0]!;
      name = left;
    } else if (node.opType === "Add" && !bias) {
      const first = valuesOf(left);
      bias = constant?.values ?? first?.values ?? null;
      if (!bias) return null;
      name = constant ? left : right;
    } else if ((node.opType === "Gemm" || node.opType === "MatMul") && constant?.dims.length === 2) {
      const plain = (key: string) => (attribute(key)?.f ?? 1) === 1;
      if (node.opType === "Gemm" && (!plain("alpha") || !plain("beta") || (attribute("transA")?.i ?? 0) !== 0))
        return null;
      const transposed = node.opType === "Gemm" && attribute("transB")?.i === 1;
      const own = node.opType === "Gemm" && node.input[2] ? (valuesOf(node.input[2])?.values ?? null) : null;
      if ((own && bias) || (node.opType === "Gemm" && node.input[2] && !own)) return null;
      const classifier = classifierFrom(constant, transposed, own ?? bias, factor);
      return classifier && { features: left, logits, classifier };
    } else return null;
  }
  return null;
}

function classifierFrom(
  { dims, values }: FloatConstant,
  transposed: boolean,
  bias: Float32Array | null,
  factor: number,
): Classifier | null {
  const [classes, dimensions] = (transposed ? dims : dims.toReversed()) as [number, number];
  if (bias && bias.length !== classes) return null;
  const weight = new Float32Array(values.length);
  for (let c = 0; c < classes; c++)
    for (let d = 0; d < dimensions; d++)
      weight[c * dimensions + d] = factor * values[transposed ? c * dimensions + d : d * classes + c]!;
  return { weight, bias: (bias ?? new Float32Array(classes)).map((value) => value * factor), classes, dimensions };
}
