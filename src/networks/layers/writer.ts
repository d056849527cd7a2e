import type { Node, ParameterShape } from "../graph.ts";
import { unsupported } from "./topology.ts";
import type { LayerWeights } from "./weights.ts";

/** One image's activations may take a GiB. */
const MAX_ACTIVATIONS = 2 ** 28;

/** Of all diagonal matrices together: 64 MB. */
const MAX_DIAGONALS = 4096 ** 2;

/** A map N×C×H×W that a node gives; a side of null depends on the images. */
export interface MapValue {
  readonly kind: "map";
  readonly node: string;
  readonly channels: number;
  readonly height: number | null;
  readonly width: number | null;
}

/** A vector N×D that a node gives. */
export interface VectorValue {
  readonly kind: "vector";
  readonly node: string;
  readonly length: number;
}

export type Value = MapValue | VectorValue;

/** Any node but for its name. */
type Nameless<N> = N extends Node ? Omit<N, "name"> : never;

/** The graph being written of a model's layers, and the weights it is written of. */
export class LayersWriter {
  readonly nodes: Node[] = [];
  readonly shapes: ParameterShape[] = [];
  readonly parameters = new Map<string, Float32Array>();
  readonly weights: LayerWeights;
  #diagonals = 0;

  constructor(weights: LayerWeights) {
    this.weights = weights;
  }

  /**
   * Adds a node and returns its name, `<layer>/<part>`: whatever a layer is called, that is the name of no other node, nor
   * one that means something to an engine (`logits`).
   */
  node(layer: string, part: string, node: Nameless<Node>): string {
    const name = `${layer}/${part}`;
    this.nodes.push({ ...node, name } as Node);
    return name;
  }

  /** Adds a parameter and returns its name. */
  parameter(name: string, role: ParameterShape["role"], shape: readonly number[], values: Float32Array): string {
    this.shapes.push({ name, shape, role });
    this.parameters.set(name, values);
    return name;
  }

  /** Adds `z = W h + b` with W of units×length. */
  linear(layer: string, input: VectorValue, weight: Float32Array, bias: Float32Array): VectorValue {
    const prefix = `${layer}/linear`;
    this.parameter(`${prefix}.weight`, "linearWeight", [bias.length, input.length], weight);
    this.parameter(`${prefix}.bias`, "linearBias", [bias.length], bias);
    const node = this.node(layer, "linear", { op: "linear", input: input.node, prefix });
    return { kind: "vector", node, length: bias.length };
  }

  /** Adds `y = factor·h + shift`, component by component: a linear layer whose matrix is diagonal. */
  affine(layer: string, input: VectorValue, factor: Float64Array, shift: Float64Array): VectorValue {
    const { length } = input;
    this.#diagonals += length ** 2;
    if (this.#diagonals > MAX_DIAGONALS)
      throw unsupported(`layer "${layer}" normalises a vector of ${length} numbers, more than we make matrices of`);
    const weight = new Float32Array(length ** 2);
    for (const [i, value] of factor.entries()) weight[i * length + i] = value;
    return this.linear(layer, input, weight, Float32Array.from(shift));
  }
}

/** Returns the map as it is; refuses one that is empty or takes too much memory. */
export function checkedMap(layer: string, map: MapValue): MapValue {
  const { channels, height, width } = map;
  const described = `${height ?? "any"}×${width ?? "any"}×${channels}`;
  if ((height ?? 1) < 1 || (width ?? 1) < 1)
    throw unsupported(`nothing is left of the map after layer "${layer}" (${described})`);
  if (channels * (height ?? 1) * (width ?? 1) > MAX_ACTIVATIONS)
    throw unsupported(`the map after layer "${layer}" is ${described}, more than ${MAX_ACTIVATIONS} numbers`);
  return map;
}
