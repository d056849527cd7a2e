import { z } from "zod";
import { boolean, configOf } from "./config.ts";
import { type KerasLayer, unsupported } from "./topology.ts";
import type { LayersWriter, Value } from "./writer.ts";

/** Keras's. */
const DEFAULT_EPSILON = 1e-3;

const config = z.object({
  axis: z
    .preprocess((axis) => (Array.isArray(axis) && axis.length === 1 ? axis[0] : axis), z.number().int())
    .default(-1),
  epsilon: z.number().nonnegative().max(1).default(DEFAULT_EPSILON),
  center: boolean(true),
  scale: boolean(true),
});

/**
 * Writes `y = (x − moving_mean)/√(moving_variance + ε)·gamma + beta` per channel and returns it.
 */
export function batchNormalization(layer: KerasLayer, input: Value, writer: LayersWriter): Value {
  const { name } = layer;
  const { axis, epsilon, center, scale } = configOf(config, layer);
  const last = input.kind === "map" ? 3 : 1;
  if (axis !== -1 && axis !== last)
    throw unsupported(`layer "${name}" (BatchNormalization) has axis ${axis}, expected the last, ${last} or -1`);
  const channels = input.kind === "map" ? input.channels : input.length;
  const take = (role: string) => writer.weights.take(name, role, [channels]);
  const gamma = scale ? take("gamma") : new Float32Array(channels).fill(1);
  const beta = center ? take("beta") : new Float32Array(channels);
  const [mean, variance] = [take("moving_mean"), take("moving_variance")];
  if (input.kind === "map") {
    const prefix = `${name}/batchNorm`;
    writer.parameter(`${prefix}.weight`, "scale", [channels], gamma);
    writer.parameter(`${prefix}.bias`, "offset", [channels], beta);
    writer.parameter(`${prefix}.running_mean`, "runningMean", [channels], mean);
    writer.parameter(`${prefix}.running_var`, "runningVariance", [channels], variance);
    return { ...input, node: writer.node(name, "batchNorm", { op: "batchNorm", input: input.node, prefix, epsilon }) };
  }
  const factor = Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i]! + epsilon));
  return writer.affine(
    name,
    input,
    factor,
    Float64Array.from(beta, (value, i) => value - mean[i]! * factor[i]!),
  );
}
