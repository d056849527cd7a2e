import type { Checkpoint } from "../checkpoints/checkpoint.ts";
import { networkFromLayers } from "./fromLayers.ts";
import { networkFromOnnx } from "./fromOnnx.ts";
import { resnetFromTensors } from "./fromTensors.ts";
import type { Network } from "./network.ts";
import type { NetworkSpec } from "./spec.ts";

/** A network and, where it is a ResNet known by its tensors, its spec: stated by metadata, or seen in the tensors. */
export interface DescribedNetwork {
  readonly network: Network;
  readonly spec: NetworkSpec | null;
}

/**
 * Returns the network a checkpoint holds. `overrides` win over the checkpoint's own metadata; what both lack is inferred
 * from the tensors.
 * @throws CollapsarError as `resnetFromTensors`, and `unsupported-network` for a file that defines a network we do not
 *   understand.
 */
export function networkOf(
  { tensors, metadata, definition }: Checkpoint,
  overrides: Readonly<Record<string, string>> = {},
): DescribedNetwork {
  if (definition?.format === "onnx") return { network: networkFromOnnx(definition, metadata, overrides), spec: null };
  if (definition?.format === "tfjs-layers")
    return { network: networkFromLayers(definition, tensors, metadata, overrides), spec: null };
  return resnetFromTensors(tensors, { ...metadata, ...overrides });
}
