import { z } from "zod";
import type { Definition, Tensor } from "../checkpoints/checkpoint.ts";
import { CollapsarError } from "../errors.ts";
import { INPUT, type Signature } from "./graph.ts";
import { convertLayer, dense } from "./layers/convert.ts";
import { type KerasLayer, readTopology, type Topology, unsupported } from "./layers/topology.ts";
import { LayerWeights } from "./layers/weights.ts";
import { checkedMap, LayersWriter, type MapValue, type Value } from "./layers/writer.ts";
import type { GraphNetwork } from "./network.ts";
import { readSpec } from "./spec.ts";

/** What metadata and requests may say of a network that its file defines. */
const APPLICABLE: readonly string[] = ["mean", "std", "l2_norm"];

/**
 * Returns the network of a TensorFlow.js layers model as a graph that every engine runs. Its features are what goes into
 * the last Dense layer (with `l2_norm` divided by their norm), its logits what comes out of that before the activation.
 * @throws CollapsarError `unsupported-network` that names what we do not compute; `malformed-checkpoint` for a topology
 *   that is none; `wrong-shape` and `non-finite-weight` that name the tensor; `invalid-metadata`.
 */
export function networkFromLayers(
  { topology }: Extract<Definition, { format: "tfjs-layers" }>,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
): GraphNetwork {
  const { input, body, classifier } = partsOf(readTopology(topology));
  const names = [input, ...body, classifier].map(({ name }) => name);
  const writer = new LayersWriter(new LayerWeights(tensors, names));
  const images = imagesOf(input);
  const { l2Norm, normalisation } = statedOf(metadata, overrides, images.channels);
  const values = new Map<string, Value>([[input.name, images]]);
  const read = (layer: KerasLayer) => layer.inputs.map((name) => values.get(name)!);
  for (const layer of body) values.set(layer.name, convertLayer(layer, read(layer), writer));
  const [penultimate] = read(classifier);
  const features =
    l2Norm && penultimate?.kind === "vector"
      ? {
          ...penultimate,
          node: writer.node(classifier.name, "l2Normalize", { op: "l2Normalize", input: penultimate.node }),
        }
      : penultimate;
  const logits = dense(classifier, features, writer);
  writer.weights.requireAllTaken(classifier.name);
  const { channels, height, width } = images;
  const graph = {
    channels,
    size: height === null || width === null ? null : { height, width },
    normalisation,
    nodes: writer.nodes,
    features: features!.node,
    logits: logits.node,
    dimensions: (features as Extract<Value, { kind: "vector" }>).length,
    classes: logits.length,
    parameters: writer.shapes,
  };
  return { kind: "graph", graph, parameters: writer.parameters };
}

interface Parts {
  readonly input: KerasLayer;
  readonly body: readonly KerasLayer[];
  /** The last Dense layer. */
  readonly classifier: KerasLayer;
}

function partsOf(topology: Topology): Parts {
  const end = topology.findLastIndex((layer) => !isSoftmax(layer));
  const classifier = topology[end];
  if (classifier?.className !== "Dense")
    throw unsupported(
      `it ends in layer "${(classifier ?? topology[0]!).name}" (${(classifier ?? topology[0]!).className}), expected a Dense layer, after which a softmax may follow`,
    );
  const crowded = topology.slice(end).find(({ inputs }) => inputs.length !== 1);
  if (crowded)
    throw unsupported(
      `layer "${crowded.name}" (${crowded.className}) reads ${crowded.inputs.length} layers, expected one`,
    );
  const { name, config } = classifier;
  if (!["linear", "softmax"].includes(String(config.activation ?? "linear")))
    throw unsupported(
      `the last Dense layer "${name}" has the activation ${JSON.stringify(config.activation).slice(0, 128)}, expected softmax or linear`,
    );
  return { input: topology[0]!, body: topology.slice(1, end), classifier };
}

function isSoftmax({ className, config }: KerasLayer): boolean {
  return (
    className === "Softmax" || (className === "Activation" && ["softmax", "linear"].includes(String(config.activation)))
  );
}

const side = z
  .number()
  .int()
  .min(1)
  .max(2 ** 16)
  .nullable();
const shapes = z.union([
  z.tuple([z.unknown(), side, side, z.number().int().min(1).max(1024)]),
  // a grey image without an axis of its channel
  z.tuple([z.unknown(), side, side]),
]);

/** Where one side is free, so is the size. */
function imagesOf({ name, config }: KerasLayer): MapValue {
  const shape = config.batch_input_shape ?? config.batch_shape;
  const parsed = shapes.safeParse(shape);
  if (!parsed.success)
    throw unsupported(
      `the input "${name}" has the shape ${JSON.stringify(shape ?? null).slice(0, 128)}, expected images: [null, height, width, channels]`,
    );
  const [, height, width, channels = 1] = parsed.data;
  const free = height === null || width === null;
  return checkedMap(name, {
    kind: "map",
    node: INPUT,
    channels,
    height: free ? null : height,
    width: free ? null : width,
  });
}

function statedOf(
  metadata: Readonly<Record<string, string>>,
  overrides: Readonly<Record<string, string>>,
  channels: number,
): { l2Norm: boolean; normalisation: Signature["normalisation"] } {
  for (const key of Object.keys(overrides))
    if (!APPLICABLE.includes(key))
      throw new CollapsarError(
        "invalid-metadata",
        `network ${key} cannot be changed: the layers model says what it is`,
      );
  const own = Object.fromEntries(Object.entries(metadata).filter(([key]) => APPLICABLE.includes(key)));
  const { mean, std, l2_norm } = readSpec({ ...own, ...overrides });
  for (const [key, list] of Object.entries({ mean, std }))
    if (list && list.length !== channels)
      throw new CollapsarError(
        "invalid-metadata",
        `network metadata ${key} has ${list.length} numbers, expected ${channels}`,
      );
  return { l2Norm: l2_norm ?? false, normalisation: mean && std ? { mean, std } : null };
}
