import type { Network } from "../networks/network.ts";
import type { Engine, InputKind, Model } from "./engine.ts";
import { toOnnx } from "./onnx/toOnnx.ts";

/**
 * Returns the engine that runs graphs on ONNX Runtime's CPU provider. The native library is loaded here, not before.
 */
export async function createOnnxruntimeEngine(): Promise<Engine> {
  const ort = await import("onnxruntime-node");

  async function load(network: Network, input: InputKind): Promise<Model> {
    const { channels, height, width } = network.graph;
    const session = await ort.InferenceSession.create(toOnnx(network, input), {
      executionProviders: ["cpu"],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
    const layout = input === "pixels" ? [height, width, channels] : [channels, height, width];
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
    device: "cpu",
    precision: "float32",
    load,
  };
}
