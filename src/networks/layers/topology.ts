import { z } from "zod";
import { CollapsarError } from "../../errors.ts";

/** ResNet152 has 515 layers. */
const MAX_LAYERS = 5_000;
const MAX_INPUTS = 64;

/** A Keras layer and the names of the layers whose outputs it reads. */
export interface KerasLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly string[];
}

/** The layers that the output needs, each after those it reads: the first is the input layer, the last the output. */
export type Topology = readonly KerasLayer[];

const object = z.record(z.string(), z.unknown());
/** Any array: its elements are looked at one by one, up to the first that is wrong. */
const list = z.custom<unknown[]>(Array.isArray, "expected an array");
const modelEntry = z.object({ class_name: z.string(), config: z.unknown() });
const layerName = z.string().min(1).max(256);
const layerEntry = z.object({
  class_name: z.string().max(256),
  name: layerName.optional(),
  config: object,
  inbound_nodes: list.optional(),
});
const layerList = list
  .refine((layers) => layers.length > 0, "no layers")
  .refine((layers) => layers.length <= MAX_LAYERS, `more than ${MAX_LAYERS} layers`);
/** Layer, which of its calls, which of its outputs. */
const reference = z.tuple([z.string(), z.number(), z.number()]).rest(z.unknown());
const functionalConfig = z.object({ layers: layerList, input_layers: list, output_layers: list });
/** A call of a layer, and what stands for a tensor in it, in the `inbound_nodes` of Keras 3. */
const kerasCall = z.object({ args: list });
const kerasTensor = z.object({
  class_name: z.literal("__keras_tensor__"),
  config: z.object({ keras_history: reference }),
});

/**
 * Returns the layers of a `modelTopology`: Keras's JSON of a Sequential or functional model, of Keras 2 or 3, bare or below
 * `model_config`. @throws CollapsarError `malformed-checkpoint` where it is no such thing, or goes in a circle;
 *   `unsupported-network` for several inputs, outputs or calls of a layer.
 */
export function readTopology(topology: unknown): Topology {
  const { class_name, config } = read(modelEntry, bare(topology), "modelTopology");
  if (class_name === "Sequential") return sequential(config);
  if (class_name === "Model" || class_name === "Functional") return functional(config);
  throw unsupported(`the model is a "${class_name}", expected Sequential, Functional or Model`);
}

/** Returns the error for a model that we read and do not compute. */
export function unsupported(what: string): CollapsarError {
  return new CollapsarError("unsupported-network", `the TensorFlow.js layers model cannot be evaluated: ${what}`);
}

function malformed(what: string): CollapsarError {
  return new CollapsarError("malformed-checkpoint", `not a valid TensorFlow.js layers model: ${what}`);
}

function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw malformed(`${[what, ...issue.path].join(".")}: ${issue.message}`);
}

function bare(topology: unknown): unknown {
  return typeof topology === "object" && topology !== null && "model_config" in topology
    ? topology.model_config
    : topology;
}

/** A Sequential model may leave its input layer out: then its first layer, or the model, says what the images are. */
function sequential(config: unknown): Topology {
  const isList = Array.isArray(config);
  const { layers, build_input_shape } = read(
    z.object({ layers: layerList, build_input_shape: z.unknown().optional() }),
    isList ? { layers: config } : config,
    "config",
  );
  const chain = layers.map((layer, i) => layerOf(layer, i));
  requireUniqueNames(chain);
  if (chain[0]!.className !== "InputLayer") {
    const shape = chain[0]!.config.batch_input_shape ?? build_input_shape;
    chain.unshift({ name: "input", className: "InputLayer", config: { batch_input_shape: shape }, inputs: [] });
  }
  return chain.map((layer, i) => ({ ...layer, inputs: i === 0 ? [] : [chain[i - 1]!.name] }));
}

function functional(config: unknown): Topology {
  const { layers, input_layers, output_layers } = read(functionalConfig, config, "config");
  const all = layers.map((layer, i) => layerOf(layer, i));
  requireUniqueNames(all);
  const input = only(input_layers, "input");
  const output = only(output_layers, "output");
  const ordered = inOrder(new Map(all.map((layer) => [layer.name, layer])), output);
  const sources = ordered.filter(({ className, inputs }) => className === "InputLayer" || inputs.length === 0);
  if (sources.length !== 1 || sources[0]!.name !== input)
    throw unsupported(
      `the output "${output}" comes from ${quoted(sources.map(({ name }) => name))}, expected the input "${input}" alone`,
    );
  return ordered;
}

/** One reference stands in a list of its own, but not in Keras 3. */
function only(references: readonly unknown[], what: string): string {
  const list = typeof references[0] === "string" ? [references] : references;
  if (list.length !== 1) throw unsupported(`it has ${list.length} ${what}s, expected one`);
  return read(reference, list[0], `config.${what}_layers`)[0];
}

function layerOf(entry: unknown, index: number): KerasLayer {
  const what = `config.layers.${index}`;
  const { class_name, name, config, inbound_nodes = [] } = read(layerEntry, entry, what);
  const own = name ?? read(layerName, config.name, `${what}.config.name`);
  if (inbound_nodes.length > 1)
    throw unsupported(`layer "${own}" is used ${inbound_nodes.length} times, expected once`);
  const tensors = inbound_nodes.flatMap(tensorsOf);
  if (tensors.length > MAX_INPUTS)
    throw malformed(`layer "${own}" reads ${tensors.length} layers, at most ${MAX_INPUTS}`);
  const inputs = tensors.map((tensor) => read(reference, historyOf(tensor), `${what}.inbound_nodes`)[0]);
  return { name: own, className: class_name, config, inputs };
}

/** The tensors in one call of a layer: `[["a", 0, 0, {}], …]`, or `{"args": [a]}` and `{"args": [[a, b]]}` of Keras 3. */
function tensorsOf(node: unknown): readonly unknown[] {
  if (Array.isArray(node)) return typeof node[0] === "string" ? [node] : node;
  const { args } = read(kerasCall, node, "inbound_nodes");
  return args.flat();
}

function historyOf(tensor: unknown): unknown {
  return Array.isArray(tensor) ? tensor : read(kerasTensor, tensor, "inbound_nodes.args").config.keras_history;
}

function requireUniqueNames(layers: readonly KerasLayer[]): void {
  const seen = new Set<string>();
  for (const { name } of layers) {
    if (seen.has(name)) throw malformed(`two layers are named "${name}"`);
    seen.add(name);
  }
}

/** Returns `output` and all it needs, each after what it reads. */
function inOrder(layers: ReadonlyMap<string, KerasLayer>, output: string): KerasLayer[] {
  const ordered = new Map<string, KerasLayer>();
  const open = new Set<string>();
  const stack = [output];
  while (stack.length > 0) {
    const name = stack.at(-1)!;
    const layer = layers.get(name);
    if (!layer) throw malformed(`there is no layer "${name}", whose output is read`);
    const missing = ordered.has(name) ? [] : layer.inputs.filter((input) => !ordered.has(input));
    if (missing.length === 0) {
      stack.pop();
      ordered.set(name, layer);
      continue;
    }
    if (open.has(name))
      throw malformed(`layer "${name}" reads its own output, by way of ${quoted(missing.slice(0, 3))}`);
    open.add(name);
    stack.push(...missing);
  }
  return [...ordered.values()];
}

function quoted(names: readonly string[]): string {
  return names.length === 0 ? "nothing" : names.map((name) => `"${name}"`).join(", ");
}
