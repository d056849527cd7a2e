import { type KerasLayer, unsupported } from "./topology.ts";
import type { LayersWriter, Value } from "./writer.ts";

/** The slope of `leaky_relu` by its name, in Keras 2 and 3. */
const NAMED_SLOPE = 0.2;

/**
 * Writes a layer's activation, given by its name in Keras, and returns what it gives.
 * @throws CollapsarError `unsupported-network` that names the layer and its activation.
 */
export function activate(
  { name, className }: KerasLayer,
  activation: unknown,
  input: Value,
  writer: LayersWriter,
): Value {
  switch (activation ?? "linear") {
    case "linear":
      return input;
    case "relu":
      return { ...input, node: writer.node(name, "relu", { op: "relu", input: input.node }) };
    case "leaky_relu":
      return {
        ...input,
        node: writer.node(name, "leakyRelu", { op: "leakyRelu", input: input.node, slope: NAMED_SLOPE }),
      };
    default: {
      const described = JSON.stringify(activation).slice(0, 128);
      throw unsupported(
        `layer "${name}" (${className}) has the activation ${described}, expected relu, leaky_relu or linear`,
      );
    }
  }
}
