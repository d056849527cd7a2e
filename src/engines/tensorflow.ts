import { CollapsarError } from "../errors.ts";
import type { DeviceName, Engine } from "./engine.ts";
import { loadNative } from "./tfjs/native.ts";
import { loadNativeModel } from "./tfjs/nativeModel.ts";

/**
 * Returns the engine that runs networks on native TensorFlow, through @tensorflow/tfjs-node or, where it is installed,
 * @tensorflow/tfjs-node-gpu. @throws CollapsarError `missing-engine` that says how to get it, or which device it has.
 */
export async function createTensorflowEngine(device?: DeviceName): Promise<Engine> {
  const native = await loadNative();
  const running: DeviceName = native.device === "gpu" ? "cuda" : "cpu";
  if (device && device !== running)
    throw new CollapsarError("missing-engine", `TensorFlow runs on "${running}" here, not on "${device}"`);
  return {
    name: "tensorflow",
    version: native.version,
    device: running,
    precision: "float32",
    // how its convolutions are cut among threads depends on the batch
    batchInvariant: false,
    load: (network, input) => loadNativeModel(native.binding, network, input),
  };
}
