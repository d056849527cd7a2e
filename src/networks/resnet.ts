import type { Graph, Node, ParameterShape } from "./graph.ts";
import { INPUT } from "./graph.ts";
import type { NetworkSpec } from "./spec.ts";
import { STAGE_DEPTHS, STEMS } from "./spec.ts";

/** Nodes and parameters of a graph being written; every method returns the name of the node it added. */
class GraphWriter {
  readonly nodes: Node[] = [];
  readonly parameters: ParameterShape[] = [];

  conv(name: string, input: string, from: number, to: number, kernel: number, stride: number): string {
    const weight = `${name}.weight`;
    this.parameters.push({ name: weight, shape: [to, from, kernel, kernel], role: "conv" });
    this.nodes.push({ op: "conv", name, input, weight, stride, padding: kernel >> 1 });
    return name;
  }

  batchNorm(name: string, input: string, channels: number): string {
    const roles = {
      weight: "scale",
      bias: "offset",
      running_mean: "runningMean",
      running_var: "runningVariance",
    } as const;
    for (const [suffix, role] of Object.entries(roles))
      this.parameters.push({ name: `${name}.${suffix}`, shape: [channels], role: role as ParameterShape["role"] });
    this.nodes.push({ op: "batchNorm", name, input, prefix: name });
    return name;
  }

  relu(name: string, input: string): string {
    this.nodes.push({ op: "relu", name, input });
    return name;
  }

  /** `relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))`, the shortcut a 1×1 convolution where the shape changes. */
  basicBlock(prefix: string, input: string, from: number, to: number, stride: number): string {
    const conv1 = this.conv(`${prefix}.conv1`, input, from, to, 3, stride);
    const inner = this.relu(`${prefix}.relu1`, this.batchNorm(`${prefix}.bn1`, conv1, to));
    const conv2 = this.conv(`${prefix}.conv2`, inner, to, to, 3, 1);
    const residual = this.batchNorm(`${prefix}.bn2`, conv2, to);
    const shortcut =
      stride === 1 && from === to
        ? input
        : this.batchNorm(`${prefix}.shortcut.1`, this.conv(`${prefix}.shortcut.0`, input, from, to, 1, stride), to);
    this.nodes.push({ op: "add", name: `${prefix}.add`, inputs: [residual, shortcut] });
    return this.relu(`${prefix}.relu2`, `${prefix}.add`);
  }

  head(input: string, dimensions: number, classes: number, l2Norm: boolean): string {
    this.nodes.push({ op: "globalAveragePool", name: "pool", input });
    if (l2Norm) this.nodes.push({ op: "l2Normalize", name: "l2", input: "pool" });
    const features = l2Norm ? "l2" : "pool";
    this.nodes.push({ op: "linear", name: "fc", input: features, prefix: "fc" });
    this.parameters.push({ name: "fc.weight", shape: [classes, dimensions], role: "linearWeight" });
    this.parameters.push({ name: "fc.bias", shape: [classes], role: "linearBias" });
    return features;
  }
}

/**
 * Returns the ResNet of DDU (Mukhoti et al., arXiv 2102.11582) that `spec` describes: a 3×3 stem without max-pool, four
 * stages of basic blocks with `width`·1, 2, 4, 8 channels and strides 1, 2, 2, 2, average over the whole map, `fc`.
 */
export function describeNetwork(spec: NetworkSpec): Graph {
  const stem = STEMS[spec.variant];
  const writer = new GraphWriter();
  let channels = spec.width;
  let at = writer.conv("conv1", INPUT, stem.channels, channels, 3, 1);
  at = writer.relu("relu1", writer.batchNorm("bn1", at, channels));
  for (const [stage, depth] of STAGE_DEPTHS[spec.arch].entries())
    for (let block = 0; block < depth; block++) {
      const to = spec.width << stage;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      at = writer.basicBlock(`layer${stage + 1}.${block}`, at, channels, to, stride);
      channels = to;
    }
  const features = writer.head(at, channels, spec.classes, spec.l2Norm);
  return {
    ...stem,
    normalisation: spec.mean && spec.std ? { mean: spec.mean, std: spec.std } : null,
    nodes: writer.nodes,
    features,
    logits: "fc",
    dimensions: channels,
    classes: spec.classes,
    parameters: writer.parameters,
  };
}
