import { z } from "zod";
import { activate } from "./activation.ts";
import { batchNormalization } from "./batchNormalization.ts";
import { boolean, channelsLast, configOf, length, one, paddingName, sides, square } from "./config.ts";
import { evenPadding, padded, sidesOf, windowed } from "./padding.ts";
import { type KerasLayer, unsupported } from "./topology.ts";
import { convWeight, linearWeight } from "./weights.ts";
import type { LayersWriter, MapValue, Value, VectorValue } from "./writer.ts";

/** A layer, what it reads, and where it is written; returns what it gives. */
type Convert = (layer: KerasLayer, inputs: readonly Value[], writer: LayersWriter) => Value;

/** By Keras's class name. In evaluation, noise and dropout do nothing. */
const CONVERT: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ["Conv2D", conv2d],
  ["BatchNormalization", (layer, [input], writer) => batchNormalization(layer, input!, writer)],
  ["Activation", (layer, [input], writer) => activate(layer, layer.config.activation, input!, writer)],
  ["ReLU", relu],
  ["LeakyReLU", leakyRelu],
  ["Add", add],
  ["MaxPooling2D", (layer, [input], writer) => pool("maxPool", layer, input, writer)],
  ["AveragePooling2D", (layer, [input], writer) => pool("averagePool", layer, input, writer)],
  ["GlobalAveragePooling2D", globalAveragePool],
  ["ZeroPadding2D", zeroPadding],
  ["Flatten", flatten],
  ["Dense", (layer, [input], writer) => activate(layer, layer.config.activation, dense(layer, input, writer), writer)],
  ["Dropout", unchanged],
  ["SpatialDropout2D", unchanged],
  ["AlphaDropout", unchanged],
  ["GaussianDropout", unchanged],
  ["GaussianNoise", unchanged],
]);

/**
 * Writes a layer and returns what it gives. @throws CollapsarError `unsupported-network` that names the layer and what of
 *   it we do not compute; `wrong-shape` and `non-finite-weight` that name the tensor.
 */
export function convertLayer(layer: KerasLayer, inputs: readonly Value[], writer: LayersWriter): Value {
  const { name, className } = layer;
  const convert = CONVERT.get(className);
  if (!convert)
    throw unsupported(`layer "${name}" is a ${className}, expected one of ${[...CONVERT.keys()].join(", ")}`);
  if (className !== "Add" && inputs.length !== 1)
    throw unsupported(`layer "${name}" (${className}) reads ${inputs.length} layers, expected one`);
  const value = convert(layer, inputs, writer);
  writer.weights.requireAllTaken(name);
  return value;
}

function requireMap({ name, className }: KerasLayer, value: Value | undefined): MapValue {
  if (value?.kind === "map") return value;
  throw unsupported(`layer "${name}" (${className}) reads a vector, expected a map: height×width×channels`);
}

const convConfig = z.object({
  filters: length,
  kernel_size: square,
  strides: square.default(1),
  padding: paddingName,
  data_format: channelsLast,
  dilation_rate: one,
  groups: one,
  use_bias: boolean(true),
});

/** Padding that is not the same on all sides is a node of its own. */
function conv2d(layer: KerasLayer, [input]: readonly Value[], writer: LayersWriter): Value {
  const { name } = layer;
  const map = requireMap(layer, input);
  const { filters, kernel_size: kernel, strides: stride, padding: kind, use_bias } = configOf(convConfig, layer);
  const shape = [filters, map.channels, kernel, kernel];
  const values = convWeight(
    writer.weights.take(name, "kernel", [kernel, kernel, map.channels, filters]),
    kernel,
    map.channels,
    filters,
  );
  const weight = writer.parameter(`${name}/conv.weight`, "conv", shape, values);
  const bias =
    use_bias &&
    writer.parameter(`${name}/conv.bias`, "offset", [filters], writer.weights.take(name, "bias", [filters]));
  const zeros = sidesOf(name, kind, map, { kernel, stride });
  const padding = evenPadding(zeros) ?? 0;
  const around =
    evenPadding(zeros) === null
      ? padded(name, map, zeros, writer.node(name, "zeroPad", { op: "zeroPad", input: map.node, ...zeros }))
      : map;
  const node = writer.node(name, "conv", {
    op: "conv",
    input: around.node,
    weight,
    ...(bias && { bias }),
    stride,
    padding,
  });
  const output = windowed(name, { ...around, channels: filters }, { kernel, stride, padding }, node);
  return activate(layer, layer.config.activation, output, writer);
}

const reluConfig = z.object({
  max_value: z.null("expected none").optional(),
  negative_slope: z.number().nonnegative().nullish(),
  threshold: z.literal(0).nullish(),
});

function relu(layer: KerasLayer, [input]: readonly Value[], writer: LayersWriter): Value {
  const slope = configOf(reluConfig, layer).negative_slope ?? 0;
  return slope === 0 ? activate(layer, "relu", input!, writer) : leaky(layer, input!, slope, writer);
}

/** Keras 3 says `negative_slope`, before it was `alpha`. */
const leakyConfig = z.object({
  alpha: z.number().nonnegative().optional(),
  negative_slope: z.number().nonnegative().optional(),
});
const DEFAULT_SLOPE = 0.3;

function leakyRelu(layer: KerasLayer, [input]: readonly Value[], writer: LayersWriter): Value {
  const { alpha, negative_slope } = configOf(leakyConfig, layer);
  return leaky(layer, input!, negative_slope ?? alpha ?? DEFAULT_SLOPE, writer);
}

function leaky({ name }: KerasLayer, input: Value, slope: number, writer: LayersWriter): Value {
  return { ...input, node: writer.node(name, "leakyRelu", { op: "leakyRelu", input: input.node, slope }) };
}

function add({ name }: KerasLayer, inputs: readonly Value[], writer: LayersWriter): Value {
  const [first, ...others] = inputs;
  if (!first || others.length === 0)
    throw unsupported(`layer "${name}" (Add) reads ${inputs.length} layers, expected two or more`);
  let sum = first;
  for (const [i, other] of others.entries()) {
    if (shapeOf(sum) !== shapeOf(other))
      throw unsupported(`layer "${name}" (Add) adds ${shapeOf(sum)} and ${shapeOf(other)}`);
    sum = { ...sum, node: writer.node(name, `add${i + 1}`, { op: "add", inputs: [sum.node, other.node] }) };
  }
  return sum;
}

function shapeOf(value: Value): string {
  return value.kind === "vector"
    ? String(value.length)
    : `${value.height ?? "any"}×${value.width ?? "any"}×${value.channels}`;
}

const poolConfig = z.object({
  pool_size: square.default(2),
  strides: square.nullish(),
  padding: paddingName,
  data_format: channelsLast,
});

/** The zeros around a map do not count in a mean, so that only the largest can be taken of a padded one. */
function pool(op: "maxPool" | "averagePool", layer: KerasLayer, input: Value | undefined, writer: LayersWriter): Value {
  const { name, className } = layer;
  const map = requireMap(layer, input);
  const { pool_size: kernel, strides, padding: kind } = configOf(poolConfig, layer);
  const stride = strides ?? kernel;
  const padding = evenPadding(sidesOf(name, kind, map, { kernel, stride }));
  if (padding === null || (op === "averagePool" && padding > 0))
    throw unsupported(
      `layer "${name}" (${className}) pads "same" a map of ${shapeOf(map)}, expected "valid", or a size that needs no padding`,
    );
  const at = { input: map.node, kernel, stride };
  const node = writer.node(name, op, op === "maxPool" ? { op, ...at, padding } : { op, ...at });
  return windowed(name, map, { kernel, stride, padding }, node);
}

const globalPoolConfig = z.object({
  data_format: channelsLast,
  keepdims: z.literal(false, "expected false").nullish(),
});

function globalAveragePool(layer: KerasLayer, [input]: readonly Value[], writer: LayersWriter): VectorValue {
  const map = requireMap(layer, input);
  configOf(globalPoolConfig, layer);
  const node = writer.node(layer.name, "globalAveragePool", { op: "globalAveragePool", input: map.node });
  return { kind: "vector", node, length: map.channels };
}

const zeroPaddingConfig = z.object({ padding: sides, data_format: channelsLast });

function zeroPadding(layer: KerasLayer, [input]: readonly Value[], writer: LayersWriter): Value {
  const map = requireMap(layer, input);
  const { padding } = configOf(zeroPaddingConfig, layer);
  const [[top, bottom], [left, right]] = padding;
  const zeros = { top, bottom, left, right };
  return padded(
    layer.name,
    map,
    zeros,
    writer.node(layer.name, "zeroPad", { op: "zeroPad", input: map.node, ...zeros }),
  );
}

const flattenConfig = z.object({ data_format: channelsLast });

function flatten(layer: KerasLayer, [input]: readonly Value[], writer: LayersWriter): Value {
  configOf(flattenConfig, layer);
  if (input!.kind === "vector") return input!;
  const { node: map, channels, height, width } = input!;
  if (height === null || width === null)
    throw unsupported(
      `layer "${layer.name}" (Flatten) needs the size of the images: the model must state it in the batch_input_shape of its input`,
    );
  return {
    kind: "vector",
    node: writer.node(layer.name, "flatten", { op: "flatten", input: map }),
    length: height * width * channels,
  };
}

const denseConfig = z.object({ units: length, use_bias: boolean(true) });

/** Returns the logits of a Dense layer: what its activation would be applied to. */
export function dense(layer: KerasLayer, input: Value | undefined, writer: LayersWriter): VectorValue {
  const { name } = layer;
  if (input?.kind !== "vector")
    throw unsupported(
      `layer "${name}" (Dense) reads a map, expected a vector: put Flatten or GlobalAveragePooling2D before it`,
    );
  const { units, use_bias } = configOf(denseConfig, layer);
  const kernel = linearWeight(writer.weights.take(name, "kernel", [input.length, units]), input.length, units);
  const bias = use_bias ? writer.weights.take(name, "bias", [units]) : new Float32Array(units);
  return writer.linear(name, input, kernel, bias);
}

function unchanged(_layer: KerasLayer, [input]: readonly Value[]): Value {
  return input!;
}
