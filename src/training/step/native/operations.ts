import { convAttributes, INDEX, T, windowAttributes } from "../../../engines/tfjs/graphWriter.ts";
import { CollapsarError } from "../../../errors.ts";
import { BATCH_NORM_MOMENTUM, INPUT, type Node } from "../../../networks/graph.ts";
import { SMALLEST_NORM } from "../../spectralNorm.ts";
import type { TrainingLayer, TrainingOperation } from "../differentiate.ts";
import { spectralNorm } from "./spectralNorm.ts";
import type { StepWriter } from "./stepWriter.ts";

/** An operation written into the graph: values are names of nodes. */
type GraphOperation = TrainingOperation<string>;

type Pullback = GraphOperation["pullback"];
type Of<Op extends Node["op"]> = Extract<Node, { op: Op }>;

/**
 * Returns the layers that write a node into the graph, and its gradient by TensorFlow's own kernels.
 * @throws CollapsarError `unsupported-network` for what is in no network that is trained here.
 */
export function graphLayersOf(writer: StepWriter, node: Node): TrainingLayer<string>[] {
  const { name } = node;
  switch (node.op) {
    case "conv":
      return convLayers(writer, node);
    case "batchNorm": {
      const parameters = ["weight", "bias", "running_mean", "running_var"].map((suffix) => `${node.prefix}.${suffix}`);
      return [{ name, arguments: [node.input, ...parameters], apply: (...values) => batchNorm(writer, node, values) }];
    }
    case "maxPool":
    case "zeroPad":
    case "flatten":
      throw new CollapsarError("unsupported-network", `"${name}" is a ${node.op}, which is not trained here`);
    case "add": {
      const pullback: Pullback = (gradient) => [gradient, gradient];
      const apply = (...values: string[]) => ({ output: writer.push(name, "AddV2", values), pullback });
      return [{ name, arguments: node.inputs, apply }];
    }
    case "linear": {
      const parameters = ["weight", "bias"].map((suffix) => `${node.prefix}.${suffix}`);
      return [{ name, arguments: [node.input, ...parameters], apply: (...values) => linear(writer, node, values) }];
    }
    default:
      return [{ name, arguments: [node.input], apply: (x) => unary(writer, node, x!) }];
  }
}

function convLayers(writer: StepWriter, node: Of<"conv">): TrainingLayer<string>[] {
  const { name, input, weight } = node;
  const apply = (x: string, filter: string) => conv(writer, node, x, filter);
  const layer: TrainingLayer<string> = { name, arguments: [input, weight], apply: (x, filter) => apply(x!, filter!) };
  if (!node.spectralNorm) return [layer];
  const parameters = ["orig", "u", "v"].map((suffix) => `${weight}_${suffix}`);
  return [{ name: weight, arguments: parameters, apply: (...values) => spectralNorm(writer, node, values) }, layer];
}

/**
 * A convolution that pads by half its kernel, as all of a ResNet do. oneDNN takes the gradients of `SAME` and `VALID` only:
 * with explicit zeros TensorFlow falls back to kernels of a third of the speed. At stride 1 `SAME` is the same zeros; at
 * stride 2 they are a node of their own.
 */
function conv(writer: StepWriter, node: Of<"conv">, x: string, filter: string): GraphOperation {
  const { name, stride, padding } = node;
  const apart = stride > 1 && padding > 0;
  const from = apart ? padMap(writer, name, x, padding) : { output: x, pullback: (gradient: string) => [gradient] };
  const attributes = convAttributes(stride, padding > 0 && !apart ? "SAME" : "VALID");
  return {
    output: writer.push(name, "Conv2D", [from.output, filter], attributes),
    pullback(gradient) {
      const sizes = writer.after("Shape", [writer.kept(filter)], { T, out_type: INDEX });
      const forFilter = writer.after("Conv2DBackpropFilter", [writer.kept(from.output), sizes, gradient], attributes);
      if (node.input === INPUT) return [null, forFilter];
      const inputs = [writer.shapeOf(from.output), writer.kept(filter), gradient];
      const forInput = writer.after("Conv2DBackpropInput", inputs, attributes);
      return [...from.pullback(forInput), readyAfter(writer, forFilter, forInput)];
    },
  };
}

/** The gradient of a weight, ready only when `reader` has read that weight: it is then changed in its place. */
function readyAfter(writer: StepWriter, gradient: string, reader: string): string {
  return writer.after("Identity", [gradient, `^${reader}`]);
}

function batchNorm(writer: StepWriter, node: Of<"batchNorm">, values: readonly string[]): GraphOperation {
  const [x, scale] = values as [string, string];
  const { name, prefix } = node;
  const epsilon = { number: node.epsilon };
  const output = writer.push(name, "FusedBatchNormV3", values, {
    ...{ T, U: T, epsilon, exponential_avg_factor: { number: BATCH_NORM_MOMENTUM } },
  });
  const reserve = [3, 4, 5].map((i) => writer.kept(`${output}:${i}`));
  return {
    output,
    buffers: { [`${prefix}.running_mean`]: `${output}:1`, [`${prefix}.running_var`]: `${output}:2` },
    pullback(gradient) {
      const inputs = [gradient, writer.kept(x), scale, ...reserve];
      const pulled = writer.after("FusedBatchNormGradV3", inputs, { T, U: T, epsilon });
      return [pulled, `${pulled}:1`, `${pulled}:2`];
    },
  };
}

function linear(writer: StepWriter, node: Of<"linear">, values: readonly string[]): GraphOperation {
  const [h, weight, bias] = values as [string, string, string];
  const products = writer.push(`${node.name}.products`, "MatMul", [h, weight], { T, transpose_b: { flag: true } });
  return {
    output: writer.push(node.name, "BiasAdd", [products, bias]),
    pullback(gradient) {
      const forInput = writer.after("MatMul", [gradient, weight]);
      const forWeight = writer.after("MatMul", [gradient, writer.kept(h)], { T, transpose_a: { flag: true } });
      return [forInput, readyAfter(writer, forWeight, forInput), writer.after("BiasAddGrad", [gradient])];
    },
  };
}

type Unary = Exclude<Node, { op: "conv" | "batchNorm" | "add" | "linear" | "maxPool" | "zeroPad" | "flatten" }>;

function unary(writer: StepWriter, node: Unary, x: string): GraphOperation {
  const { name } = node;
  switch (node.op) {
    case "relu": {
      const output = writer.push(name, "Relu", [x]);
      return { output, pullback: (gradient) => [writer.after("ReluGrad", [gradient, writer.kept(output)])] };
    }
    case "leakyRelu": {
      const attributes = { T, alpha: { number: node.slope } };
      const output = writer.push(name, "LeakyRelu", [x], attributes);
      const pullback: Pullback = (gradient) => [
        writer.after("LeakyReluGrad", [gradient, writer.kept(output)], attributes),
      ];
      return { output, pullback };
    }
    case "averagePool": {
      const attributes = windowAttributes(node, 0);
      const output = writer.push(name, "AvgPool", [x], attributes);
      return {
        output,
        pullback: (gradient) => [writer.after("AvgPoolGrad", [writer.shapeOf(x), gradient], attributes)],
      };
    }
    case "padChannels":
      return padChannels(writer, name, x, node.added);
    case "globalAveragePool":
      return globalAveragePool(writer, name, x);
    case "l2Normalize":
      return l2Normalize(writer, name, x);
  }
}

/** Zero channels after the map's own. */
function padChannels(writer: StepWriter, name: string, x: string, added: number): GraphOperation {
  return pad(writer, name, x, [0, 0, 0, 0, 0, 0, 0, added]);
}

/** Zeros around the map. */
function padMap(writer: StepWriter, name: string, x: string, padding: number): GraphOperation {
  return pad(writer, `${name}.padded`, x, [0, 0, padding, padding, padding, padding, 0, 0]);
}

function pad(writer: StepWriter, name: string, x: string, sides: readonly number[]): GraphOperation {
  const begin = sides.filter((_, i) => i % 2 === 0);
  return {
    output: writer.push(name, "Pad", [x, writer.integers(`${name}.sides`, sides, 4, 2)], { T, Tpaddings: INDEX }),
    pullback(gradient) {
      const inputs = [gradient, writer.integers(`${name}.begin`, begin, 4), writer.shapeOf(x)];
      return [writer.after("Slice", inputs, { T, Index: INDEX })];
    },
  };
}

/** The mean over the map, and every pixel's share of its gradient. */
function globalAveragePool(writer: StepWriter, name: string, x: string): GraphOperation {
  const axes = writer.integers(`${name}.axes`, [1, 2], 2);
  return {
    output: writer.push(name, "Mean", [x, axes], { T, Tidx: INDEX }),
    pullback(gradient) {
      const count = (value: string) =>
        writer.after("Cast", [writer.after("Size", [value], { T, out_type: INDEX })], { SrcT: INDEX, DstT: T });
      const share = writer.after("RealDiv", [count(gradient), count(writer.kept(x))]);
      const scaled = writer.after("Mul", [gradient, share]);
      const row = writer.after("ExpandDims", [scaled, writer.integers(`${name}.row`, [1])], { T, Tdim: INDEX });
      const pixel = writer.after("ExpandDims", [row, writer.integers(`${name}.pixel`, [1])], { T, Tdim: INDEX });
      return [writer.after("BroadcastTo", [pixel, writer.shapeOf(x)], { T, Tidx: INDEX })];
    },
  };
}

/** `y = h / max(‖h‖₂, 1e-12)` of each row, `dh = (dy − y·⟨y, dy⟩) / max(‖h‖₂, 1e-12)`. */
function l2Normalize(writer: StepWriter, name: string, h: string): GraphOperation {
  const axis = writer.integers(`${name}.axis`, [1], 1);
  const alongRows = { T, Tidx: INDEX, keep_dims: { flag: true } } as const;
  const squares = writer.push(`${name}.squares`, "Square", [h]);
  const sum = writer.push(`${name}.sum`, "Sum", [squares, axis], alongRows);
  const norm = writer.push(`${name}.norm`, "Sqrt", [sum]);
  const least = writer.float(`${name}.least`, SMALLEST_NORM);
  const divisor = writer.push(`${name}.divisor`, "Maximum", [norm, least]);
  const output = writer.push(name, "RealDiv", [h, divisor]);
  return {
    output,
    pullback(gradient) {
      const products = writer.after("Mul", [gradient, writer.kept(output)]);
      const along = writer.after("Mul", [writer.kept(output), writer.after("Sum", [products, axis], alongRows)]);
      return [writer.after("RealDiv", [writer.after("Sub", [gradient, along]), writer.kept(divisor)])];
    },
  };
}
