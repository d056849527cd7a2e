import type { Graph } from "./graph.ts";
import { BATCH_NORM_EPSILON, INPUT, type Node, type ParameterShape } from "./graph.ts";
import { type NetworkSpec, STAGES, STEMS } from "./spec.ts";

/** As in DDU's networks with `mod`, PyTorch's default. */
const LEAKY_SLOPE = 0.01;

/** A bottleneck's output has this many times the channels of its inner convolutions. */
const EXPANSION = { basic: 1, bottleneck: 4 } as const;

/** A map in the graph being written: the node it comes from, its channels, and its height where that is known. */
interface Map2d {
  readonly node: string;
  readonly channels: number;
  readonly height: number | null;
}

/** Nodes and parameters of a graph being written; every method returns what it added. */
class GraphWriter {
  readonly nodes: Node[] = [];
  readonly parameters: ParameterShape[] = [];
  readonly #spec: NetworkSpec;

  constructor(spec: NetworkSpec) {
    this.#spec = spec;
  }

  /** Convolution without bias, zero padding that keeps the size at stride 1, then batch norm. */
  convNorm(conv: string, norm: string, input: Map2d, channels: number, kernel: number, stride: number): Map2d {
    const weight = `${conv}.weight`;
    this.parameters.push({ name: weight, shape: [channels, input.channels, kernel, kernel], role: "conv" });
    this.nodes.push({ op: "conv", name: conv, input: input.node, weight, stride, padding: kernel >> 1 });
    for (const [suffix, role] of NORM_PARAMETERS)
      this.parameters.push({ name: `${norm}.${suffix}`, shape: [channels], role });
    this.nodes.push({ op: "batchNorm", name: norm, input: conv, prefix: norm, epsilon: BATCH_NORM_EPSILON });
    return { node: norm, channels, height: input.height && Math.ceil(input.height / stride) };
  }

  activation(name: string, input: Map2d): Map2d {
    this.nodes.push(
      this.#spec.mod
        ? { op: "leakyRelu", name, input: input.node, slope: LEAKY_SLOPE }
        : { op: "relu", name, input: input.node },
    );
    return { ...input, node: name };
  }

  /** `act(norm(conv(… act(norm(conv(x))) …)) + shortcut(x))`: two 3×3 convolutions, or 1×1, 3×3, 1×1. */
  block(prefix: string, input: Map2d, planes: number, stride: number): Map2d {
    const { block } = STAGES[this.#spec.arch];
    const channels = planes * EXPANSION[block];
    const layers =
      block === "basic"
        ? ([
            [planes, 3, stride],
            [planes, 3, 1],
          ] as const) // prettier
        : ([
            [planes, 1, 1],
            [planes, 3, stride],
            [channels, 1, 1],
          ] as const);
    let residual = input;
    for (const [i, [to, kernel, step]] of layers.entries()) {
      residual = this.convNorm(`${prefix}.conv${i + 1}`, `${prefix}.bn${i + 1}`, residual, to, kernel, step);
      if (i + 1 < layers.length) residual = this.activation(`${prefix}.relu${i + 1}`, residual);
    }
    const changes = stride !== 1 || input.channels !== channels;
    const shortcut = changes ? this.shortcut(prefix, input, channels, stride) : input;
    this.nodes.push({ op: "add", name: `${prefix}.add`, inputs: [residual.node, shortcut.node] });
    return this.activation(`${prefix}.relu${layers.length}`, { ...residual, node: `${prefix}.add` });
  }

  /** A 1×1 convolution; with `mod`, average pool (subsampling where the height is odd) and zero channels. */
  shortcut(prefix: string, input: Map2d, channels: number, stride: number): Map2d {
    const { mod, stem } = this.#spec;
    const name = `${prefix}.${stem === "torchvision" ? "downsample" : "shortcut"}`;
    if (!mod) return this.convNorm(`${name}.0`, `${name}.1`, input, channels, 1, stride);
    const kernel = input.height! % 2 === 1 ? 1 : stride;
    if (stride > 1) this.nodes.push({ op: "averagePool", name: `${name}.pool`, input: input.node, kernel, stride });
    const pooled = stride > 1 ? `${name}.pool` : input.node;
    this.nodes.push({ op: "padChannels", name: `${name}.pad`, input: pooled, added: channels - input.channels });
    return { node: `${name}.pad`, channels, height: Math.ceil(input.height! / stride) };
  }

  /** Average over the whole map, `fc`; returns the node of the features. */
  head({ node: input, channels }: Map2d): string {
    const { l2Norm, classes } = this.#spec;
    this.nodes.push({ op: "globalAveragePool", name: "pool", input });
    if (l2Norm) this.nodes.push({ op: "l2Normalize", name: "l2", input: "pool" });
    const features = l2Norm ? "l2" : "pool";
    this.nodes.push({ op: "linear", name: "fc", input: features, prefix: "fc" });
    this.parameters.push({ name: "fc.weight", shape: [classes, channels], role: "linearWeight" });
    this.parameters.push({ name: "fc.bias", shape: [classes], role: "linearBias" });
    return features;
  }
}

const NORM_PARAMETERS = [
  ["weight", "scale"],
  ["bias", "offset"],
  ["running_mean", "runningMean"],
  ["running_var", "runningVariance"],
] as const;

/**
 * Returns the ResNet that `spec` describes. DDU's (Mukhoti et al., arXiv 2102.11582): a 3×3 stem without max-pool, four
 * stages of blocks with `width`·1, 2, 4, 8 planes and strides 1, 2, 2, 2, average over the whole map, `fc`. torchvision's:
 * a 7×7 stem of stride 2 and a max-pool before the stages. Spectral normalisation does not show: what a convolution
 * holds is its effective weight.
 */
export function describeNetwork(spec: NetworkSpec): Graph {
  const { kernel, size } = STEMS[spec.stem];
  const writer = new GraphWriter(spec);
  const images: Map2d = { node: INPUT, channels: spec.channels, height: size?.height ?? null };
  let map = writer.convNorm("conv1", "bn1", images, spec.width, kernel, kernel === 7 ? 2 : 1);
  map = writer.activation("relu1", map);
  if (spec.stem === "torchvision") {
    writer.nodes.push({ op: "maxPool", name: "maxpool", input: map.node, kernel: 3, stride: 2, padding: 1 });
    map = { ...map, node: "maxpool" };
  }
  for (const [stage, depth] of STAGES[spec.arch].depths.entries())
    for (let block = 0; block < depth; block++)
      map = writer.block(`layer${stage + 1}.${block}`, map, spec.width << stage, stage > 0 && block === 0 ? 2 : 1);
  const features = writer.head(map);
  return {
    channels: spec.channels,
    size,
    normalisation: spec.mean && spec.std ? { mean: spec.mean, std: spec.std } : null,
    nodes: writer.nodes,
    features,
    logits: "fc",
    dimensions: map.channels,
    classes: spec.classes,
    parameters: writer.parameters,
  };
}
