import type { Engine, EngineName } from "./engine.ts";
import { createOnnxruntimeEngine } from "./onnxruntime.ts";

/** What each engine is made by; a native library or WASM module is loaded only when its engine is made. */
const CREATORS: Readonly<Record<EngineName, () => Promise<Engine>>> = {
  onnxruntime: createOnnxruntimeEngine,
  wasm: async () => (await import("./wasm.ts")).createWasmEngine(),
};

/** The engine used where none is asked for. */
export const DEFAULT_ENGINE: EngineName = "onnxruntime";

const opened = new Map<EngineName, Promise<Engine>>();

/** Returns the engine of that name, made once per process; one that could not be made is tried again at the next call. */
export function openEngine(name: EngineName = DEFAULT_ENGINE): Promise<Engine> {
  const engine = opened.get(name) ?? CREATORS[name]();
  opened.set(name, engine);
  engine.catch(() => opened.delete(name));
  return engine;
}
