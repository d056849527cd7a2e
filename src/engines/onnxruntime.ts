import type { InferenceSession } from "onnxruntime-node";
import { CollapsarError } from "../errors.ts";
import type { GraphNetwork, Network } from "../networks/network.ts";
import { signatureOf } from "../networks/network.ts";
import type { DeviceName, Engine, ImageInput, Model } from "./engine.ts";
import { loadInChild } from "./onnx/child.ts";
import { toOnnx } from "./onnx/toOnnx.ts";
import { requireFittingInput } from "./pixels.ts";

/**
 * Returns the engine that runs networks on ONNX Runtime, on the provider of that device. The native library is loaded
 * here, not before. @throws CollapsarError `missing-engine` where this build of ONNX Runtime has no such provider.
 */
export async function createOnnxruntimeEngine(device: DeviceName = "cpu"): Promise<Engine> {
  const ort = await import("onnxruntime-node");
  const available = ort.listSupportedBackends().map(({ name }) => name);
  if (!available.includes(device))
    throw new CollapsarError(
      "missing-engine",
      `ONNX Runtime has no provider for "${device}" here, expected one of ${available.join(", ")}`,
    );
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
  };

  async function loadGraph(network: GraphNetwork, input: ImageInput): Promise<Model> {
    const session = await ort.InferenceSession.create(toOnnx(network, input), options).catch((cause) => {
      throw new CollapsarError("missing-engine", `ONNX Runtime does not start on "${device}": ${cause.message}`, {
        cause,
      });
    });
    const { channels } = network.graph;
    const { kind, height, width } = input;
    const layout = kind === "pixels" ? [height, width, channels] : [channels, height, width];
    return {
      async run(images, count) {
        const tensor =
          images instanceof Uint8Array
            ? new ort.Tensor("uint8", images, [count, ...layout])
            : new ort.Tensor("float32", images, [count, ...layout]);
        const { features, logits } = await session.run({ images: tensor });
        return { features: features!.data as Float32Array, logits: logits!.data as Float32Array };
      },
      dispose: () => session.release(),
    };
  }

  return {
    name: "onnxruntime",
    version: ort.env.versions.node ?? "unknown",
    device,
    precision: "float32",
    async load(network: Network, input: ImageInput) {
      const normalisesItself = network.kind === "onnx" && network.input.kind === "pixels";
      requireFittingInput(signatureOf(network), normalisesItself ? { ...input, kind: "normalised" } : input);
      return network.kind === "onnx" ? loadInChild(network, input, device) : loadGraph(network, input);
    },
  };
}
