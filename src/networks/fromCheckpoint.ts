import type { Checkpoint, Tensor } from "../checkpoints/checkpoint.ts";
import { CollapsarError } from "../errors.ts";
import type { ParameterShape } from "./graph.ts";
import type { Network } from "./network.ts";
import { describeNetwork } from "./resnet.ts";
import type { NetworkSpec, Variant } from "./spec.ts";
import { readSpec, STEMS } from "./spec.ts";

/** A network and what is known of it: stated by metadata, or seen in the shapes of its tensors. */
export interface DescribedNetwork {
  readonly spec: NetworkSpec;
  readonly network: Network;
}

/**
 * Returns the network a checkpoint holds. `overrides` win over the checkpoint's own metadata; what both lack is inferred
 * from the tensors. A `module.` prefix of the names (PyTorch's DataParallel) is stripped.
 * @throws CollapsarError `wrong-shape` that names the tensor, what it is and what was expected; `missing-metadata`,
 *   `invalid-metadata`; `non-finite-weight` that names the tensor.
 */
export function networkOf(checkpoint: Checkpoint, overrides: Readonly<Record<string, string>> = {}): DescribedNetwork {
  const tensors = new Map([...checkpoint.tensors].map(([name, tensor]) => [name.replace(/^module\./, ""), tensor]));
  const spec = completeSpec(tensors, { ...checkpoint.metadata, ...overrides });
  const graph = describeNetwork(spec);
  const parameters = new Map(graph.parameters.map((parameter) => [parameter.name, parameterOf(tensors, parameter)]));
  rejectUnknown(tensors, parameters);
  return { spec, network: { graph, parameters } };
}

type Tensors = ReadonlyMap<string, Tensor>;

function completeSpec(tensors: Tensors, metadata: Readonly<Record<string, string>>): NetworkSpec {
  const stated = readSpec(metadata);
  const stem = shapeOf(tensors, "conv1.weight", 4);
  const classifier = shapeOf(tensors, "fc.weight", 2);
  const variant = stated.variant ?? stemOf(stem);
  const { channels } = STEMS[variant];
  for (const key of ["mean", "std"] as const)
    if (stated[key] && stated[key].length !== channels)
      throw new CollapsarError(
        "invalid-metadata",
        `network metadata ${key} has ${stated[key].length} numbers, expected one per channel (${channels})`,
      );
  return {
    arch: stated.arch ?? "resnet18",
    variant,
    width: stated.width ?? stem[0]!,
    classes: stated.classes ?? classifier[0]!,
    l2Norm: stated.l2_norm ?? false,
    mean: stated.mean ?? null,
    std: stated.std ?? null,
  };
}

function shapeOf(tensors: Tensors, name: string, rank: number): readonly number[] {
  const tensor = tensors.get(name);
  if (!tensor) throw new CollapsarError("wrong-shape", `no tensor "${name}", which every network we know has`);
  if (tensor.shape.length !== rank)
    throw new CollapsarError(
      "wrong-shape",
      `tensor "${name}" is ${describe(tensor.shape)}, expected ${rank} dimensions`,
    );
  return tensor.shape;
}

function stemOf([, channels, height, width]: readonly number[]): Variant {
  const found = Object.entries(STEMS).find(([, stem]) => stem.channels === channels);
  if (!found || height !== 3 || width !== 3) {
    const known = Object.entries(STEMS).map(([name, stem]) => `${name}: ${stem.channels} channels`);
    const message = `tensor "conv1.weight" takes ${channels} channels with a ${height}×${width} kernel, expected a 3×3 stem (${known.join(", ")})`;
    throw new CollapsarError("wrong-shape", message);
  }
  return found[0] as Variant;
}

function parameterOf(tensors: Tensors, { name, shape, role }: ParameterShape): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new CollapsarError("wrong-shape", `no tensor "${name}" of ${describe(shape)}`);
  if (tensor.shape.length !== shape.length || tensor.shape.some((length, axis) => length !== shape[axis]))
    throw new CollapsarError(
      "wrong-shape",
      `tensor "${name}" is ${describe(tensor.shape)}, expected ${describe(shape)}`,
    );
  if (!(tensor.data instanceof Float32Array || tensor.data instanceof Float64Array))
    throw new CollapsarError("wrong-shape", `tensor "${name}" holds ${tensor.dtype}, expected floating point`);
  const values = tensor.data instanceof Float32Array ? tensor.data : Float32Array.from(tensor.data);
  const lowest = role === "runningVariance" ? 0 : Number.NEGATIVE_INFINITY;
  const offender = values.findIndex((value) => !Number.isFinite(value) || value < lowest);
  if (offender >= 0)
    throw new CollapsarError(
      "non-finite-weight",
      `tensor "${name}" holds ${values[offender]} at element ${offender}, expected a finite ${lowest === 0 ? "variance" : "number"}`,
    );
  return values;
}

/** A tensor the network does not use means that it is another network, whose numbers would be wrong. */
function rejectUnknown(tensors: Tensors, parameters: ReadonlyMap<string, Float32Array>): void {
  for (const name of tensors.keys())
    if (!parameters.has(name) && !name.endsWith(".num_batches_tracked"))
      throw new CollapsarError("wrong-shape", `unexpected tensor "${name}": this is no network of the kinds we know`);
}

function describe(shape: readonly number[]): string {
  return shape.length === 0 ? "a scalar" : shape.join("×");
}
