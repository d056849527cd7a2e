import type { Tensor } from "../checkpoints/checkpoint.ts";
import { CollapsarError } from "../errors.ts";
import type { Graph, ParameterShape } from "./graph.ts";
import type { GraphNetwork } from "./network.ts";
import { describeNetwork } from "./resnet.ts";
import { type Architecture, completeSpec, type NetworkSpec, readSpec, STAGES, STEMS, type Stem } from "./spec.ts";
import { effectiveWeight } from "./spectralNorm.ts";

type Tensors = ReadonlyMap<string, Tensor>;

/** What a checkpoint that is none of them can do. */
const ELSE = "a ResNet of DDU or torchvision (any other network: as ONNX)";

/**
 * Returns the ResNet whose `state_dict` these tensors are, and its spec. What `metadata` do not state is seen in the
 * tensors' names and shapes. A `module.` prefix of all names (PyTorch's DataParallel) is stripped.
 * @throws CollapsarError `wrong-shape` that names the tensor, what it is and what was expected; `invalid-metadata`;
 *   `non-finite-weight` that names the tensor.
 */
export function resnetFromTensors(
  stored: Tensors,
  metadata: Readonly<Record<string, string>>,
): { spec: NetworkSpec; network: GraphNetwork } {
  const tensors = new Map([...stored].map(([name, tensor]) => [name.replace(/^module\./, ""), tensor]));
  const spec = completeSpec(readSpec(metadata), seenIn(tensors));
  const graph = describeNetwork(spec);
  const used = new Set<string>();
  const read = (name: string, shape: readonly (number | null)[], role?: ParameterShape["role"]) => {
    used.add(name);
    return floatsOf(tensors, name, shape, role);
  };
  const parameters = new Map(
    graph.parameters.map((parameter) => {
      const { name, shape, role } = parameter;
      const values =
        spec.sn && role === "conv" ? normalised(graph, parameter, spec.coeff, read) : read(name, shape, role);
      return [name, values] as const;
    }),
  );
  rejectUnknown(tensors, used);
  return { spec, network: { kind: "graph", graph, parameters } };
}

/** What the tensors show of the network; where they show none, the nearest, whose missing tensor is then named. */
function seenIn(tensors: Tensors) {
  const sn = tensors.has("conv1.weight_orig");
  const suffix = sn ? "weight_orig" : "weight";
  const conv1 = shapeOf(tensors, `conv1.${suffix}`, 4);
  const stem = stemOf(conv1);
  const mod = STEMS[stem].size !== null && !tensors.has(`layer2.0.shortcut.0.${suffix}`);
  return {
    arch: architectureOf(tensors, suffix),
    stem,
    mod,
    sn,
    channels: conv1[1]!,
    width: conv1[0]!,
    classes: shapeOf(tensors, "fc.weight", 2)[0]!,
  };
}

function architectureOf(tensors: Tensors, suffix: string): Architecture {
  const block = tensors.has(`layer1.0.conv3.${suffix}`) ? "bottleneck" : "basic";
  const depths = [1, 2, 3, 4].map((stage) => {
    const indices = [...tensors.keys()].map((name) => new RegExp(`^layer${stage}\\.(\\d+)\\.conv1\\.`).exec(name)?.[1]);
    return Math.max(0, ...indices.map((index) => (index === undefined ? 0 : Number(index) + 1)));
  });
  const found = Object.entries(STAGES).find(
    ([, stages]) => stages.block === block && stages.depths.every((depth, i) => depth === depths[i]),
  );
  if (found) return found[0] as Architecture;
  const known = Object.entries(STAGES).map(([name, { block, depths }]) => `${name}: ${block} ${depths.join("-")}`);
  throw new CollapsarError(
    "wrong-shape",
    `the tensors layer1 to layer4 have ${depths.join("-")} ${block} blocks, which is no network we know (${known.join(", ")})`,
  );
}

function stemOf([, channels, height, width]: readonly number[]): Stem {
  if (height === 7 && width === 7) return "torchvision";
  const found = Object.entries(STEMS).find(
    ([, stem]) => stem.kernel === height && stem.kernel === width && stem.channels === channels,
  );
  if (found) return found[0] as Stem;
  const known = Object.entries(STEMS).map(
    ([name, stem]) => `${name}: ${stem.channels} of ${stem.kernel}×${stem.kernel}`,
  );
  throw new CollapsarError(
    "wrong-shape",
    `tensor "conv1.weight" takes ${channels} channels with a ${height}×${width} kernel, which is no stem we know (${known.join(", ")})`,
  );
}

function shapeOf(tensors: Tensors, name: string, rank: number): readonly number[] {
  const tensor = tensors.get(name);
  if (!tensor) throw new CollapsarError("wrong-shape", `no tensor "${name}": expected those of ${ELSE}`);
  if (tensor.shape.length !== rank)
    throw new CollapsarError(
      "wrong-shape",
      `tensor "${name}" is ${describe(tensor.shape)}, expected ${rank} dimensions`,
    );
  return tensor.shape;
}

/** Returns the tensor's numbers as float32; null in `shape` stands for any length. */
function floatsOf(
  tensors: Tensors,
  name: string,
  shape: readonly (number | null)[],
  role?: ParameterShape["role"],
): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new CollapsarError("wrong-shape", `there is no tensor "${name}" of shape ${describe(shape)}`);
  if (
    tensor.shape.length !== shape.length ||
    shape.some((length, axis) => length !== null && length !== tensor.shape[axis])
  )
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

/** The effective weight of a convolution whose stored ones are `<conv>.weight_orig`, `weight_u`, `weight_v`. */
function normalised(
  graph: Graph,
  { name, shape }: ParameterShape,
  coeff: number,
  read: (name: string, shape: readonly (number | null)[]) => Float32Array,
): Float32Array {
  const node = graph.nodes.find((candidate) => candidate.op === "conv" && candidate.weight === name);
  const { stride, padding } = node as Extract<typeof node, { op: "conv" }>;
  const weight = read(`${name}_orig`, shape);
  const [u, v] = [read(`${name}_u`, [null]), read(`${name}_v`, [null])];
  read(`${name}_sigma`, [1]);
  return effectiveWeight({ name, shape, stride, padding, coeff, weight, u, v });
}

/** A tensor the network does not use means that it is another network, whose numbers would be wrong. */
function rejectUnknown(tensors: Tensors, used: ReadonlySet<string>): void {
  for (const name of tensors.keys())
    if (!used.has(name) && !name.endsWith(".num_batches_tracked"))
      throw new CollapsarError("wrong-shape", `unexpected tensor "${name}": expected those of ${ELSE}`);
}

function describe(shape: readonly (number | null)[]): string {
  return shape.length === 0 ? "a scalar" : shape.map((length) => length ?? "any").join("×");
}
