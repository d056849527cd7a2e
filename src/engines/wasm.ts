import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "./engine.ts";
import { startWasm } from "./tfjs/backend.ts";
import { loadOnBackend } from "./tfjs/load.ts";

/** Returns the engine that runs networks on TensorFlow.js's WASM backend: one thread, wherever Node runs. */
export async function createWasmEngine(): Promise<Engine> {
  await startWasm();
  return {
    name: "wasm",
    version: tf.version_core,
    device: "cpu",
    precision: "float32",
    batchInvariant: true,
    load: (network, input) => loadOnBackend("wasm", network, input),
  };
}
