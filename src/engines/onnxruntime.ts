import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import { CollapsarError } from "../errors.ts";
import type { GraphNetwork, Network } from "../networks/network.ts";
import { signatureOf } from "../networks/network.ts";
import { withTemporaryFolder } from "../temporaryFolder.ts";
import type { DeviceName, Engine, ImageInput, Model } from "./engine.ts";
import { loadInChild } from "./onnx/child.ts";
import { loadFastest } from "./onnx/threads.ts";
import { toOnnxPieces } from "./onnx/toOnnx.ts";
import { requireFittingInput } from "./pixels.ts";

/** A batch that shows which number of threads is fastest. */
const TRIAL_IMAGES = 16;

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
    const { channels } = network.graph;
    const { kind, height, width } = input;
    const layout = kind === "pixels" ? [height, width, channels] : [channels, height, width];
    const Pixels = kind === "pixels" ? Uint8Array : Float32Array;
    const loadFile = async (path: string, threads: number) => {
      const session = await open(path, threads);
      const run: Model["run"] = async (images, count) => {
        const dims = [count, ...layout];
        const tensor =
          images instanceof Uint8Array
            ? new ort.Tensor("uint8", images, dims)
            : new ort.Tensor("float32", images, dims);
        const { features, logits } = await session.run({ images: tensor });
        return { features: features!.data as Float32Array, logits: logits!.data as Float32Array };
      };
      const blank = new Pixels(TRIAL_IMAGES * height * width * channels);
      return { run, trial: () => run(blank, TRIAL_IMAGES), dispose: () => session.release() };
    };
    // ONNX Runtime copies all of a file while it loads it: the file itself need not be in memory, too
    return withTemporaryFolder(async (folder) => {
      const path = join(folder, "network.onnx");
      await writeFile(path, toOnnxPieces(network, input, { fast: device === "cpu" }));
      return loadFastest((threads) => loadFile(path, threads));
    });
  }

  async function open(path: string, intraOpNumThreads: number): Promise<InferenceSession> {
    try {
      return await ort.InferenceSession.create(path, { ...options, intraOpNumThreads });
    } catch (cause) {
      throw new CollapsarError("missing-engine", `ONNX Runtime does not start on "${device}": ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  return {
    name: "onnxruntime",
    version: ort.env.versions.node ?? "unknown",
    device,
    precision: "float32",
    batchInvariant: device === "cpu",
    async load(network: Network, input: ImageInput) {
      const normalisesItself = network.kind === "onnx" && network.input.kind === "pixels";
      requireFittingInput(signatureOf(network), normalisesItself ? { ...input, kind: "normalised" } : input);
      return network.kind === "onnx" ? loadInChild(network, input, device) : loadGraph(network, input);
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
