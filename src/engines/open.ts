import { CollapsarError } from "../errors.ts";
import type { DeviceName, Engine, EngineName } from "./engine.ts";
import { createOnnxruntimeEngine } from "./onnxruntime.ts";

/** What each engine is made by; a native library or WASM module is loaded only when its engine is made. */
const CREATORS: Readonly<Record<EngineName, (device?: DeviceName) => Promise<Engine>>> = {
  onnxruntime: createOnnxruntimeEngine,
  tensorflow: async (device) => (await import("./tensorflow.ts")).createTensorflowEngine(device),
  wasm: async (device) => {
    if (device && device !== "cpu")
      throw new CollapsarError("missing-engine", `the engine wasm has no device "${device}"`);
    return (await import("./wasm.ts")).createWasmEngine();
  },
};

const opened = new Map<string, Promise<Engine>>();

/** What to run on; what is left out is chosen. */
export interface EngineChoice {
  readonly engine?: EngineName | undefined;
  readonly device?: DeviceName | undefined;
}

/**
 * Returns the engine asked for, made once per process; one that could not be made is tried again at the next call. Without
 * a name: native TensorFlow where it is installed for a GPU and finds one, else ONNX Runtime.
 * @throws CollapsarError `missing-engine` that says what is not there.
 */
export function openEngine({ engine, device }: EngineChoice = {}): Promise<Engine> {
  const key = `${engine ?? ""} ${device ?? ""}`;
  const opening = opened.get(key) ?? (engine ? CREATORS[engine](device) : chooseEngine(device));
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}

async function chooseEngine(device: DeviceName | undefined): Promise<Engine> {
  if (device === undefined || device === "cuda") {
    const { hasGpuBuild } = await import("./tfjs/native.ts");
    if (hasGpuBuild()) {
      const engine = await openEngine({ engine: "tensorflow" });
      if (engine.device === "cuda") return engine;
    }
  }
  return openEngine({ engine: "onnxruntime", device });
}
