import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import type { Graph, ParameterShape } from "../networks/graph.ts";
import { generatorOf } from "./random.ts";

/**
 * Returns the parameters a network starts from, by PyTorch's names: PyTorch's defaults, `kaiming_uniform_(a=√5)` for the
 * weights of convolutions and the classifier, which is U(−1/√fan_in, 1/√fan_in), the classifier's bias likewise; batch
 * norm starts as the identity, singular vectors as random directions. Every tensor has a generator of its own, so that a seed gives the same stem to every depth.
 */
export function initialiseParameters(graph: Graph, seed: number): Map<string, Float32Array> {
  return new Map(graph.parameters.map((parameter) => [parameter.name, initialise(parameter, graph, seed)]));
}

function initialise({ name, shape, role }: ParameterShape, graph: Graph, seed: number): Float32Array {
  const values = new Float32Array(product(shape));
  switch (role) {
    case "scale":
    case "runningVariance":
    case "singularValue":
      return values.fill(1);
    case "offset":
    case "runningMean":
      return values;
    case "linearBias":
      return fillUniform(values, 1 / Math.sqrt(graph.dimensions), name, seed);
    case "singularVector":
      return fillUnit(values, name, seed);
    case "conv":
    case "linearWeight":
      return fillUniform(values, 1 / Math.sqrt(product(shape.slice(1))), name, seed);
  }
}

function fillUniform(values: Float32Array, bound: number, name: string, seed: number): Float32Array {
  const generator = generatorOf("initialise", seed, name);
  return values.map(() => bound * (2 * uniformFloat64(generator) - 1));
}

/** A direction that is uniform on the sphere, of normal numbers by Box and Muller. */
function fillUnit(values: Float32Array, name: string, seed: number): Float32Array {
  const generator = generatorOf("initialise", seed, name);
  const normal = Float64Array.from(values, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(generator)));
    return radius * Math.cos(2 * Math.PI * uniformFloat64(generator));
  });
  const length = Math.sqrt(normal.reduce((sum, value) => sum + value ** 2, 0));
  return values.map((_, i) => normal[i]! / length);
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1);
}
