import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Binding } from "./native.ts";
import { TAG } from "./savedModel.ts";

/** Numbers that go into a graph: what it calls them, their shape, uint8 or float32. */
export interface Feed {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Uint8Array | Float32Array;
}

/** A graph that native TensorFlow holds, with the values of its variables. */
export interface NativeSession {
  /** Computes those outputs and what they need, and returns copies of them. */
  run(feeds: readonly Feed[], outputs: readonly string[]): Float32Array[];
  close(): void;
}

/** Opens the graph of a `saved_model.pb`. TensorFlow reads it from a folder only, and has all of it when it returns. */
export function openNativeSession(binding: Binding, file: Uint8Array): NativeSession {
  const folder = mkdtempSync(join(tmpdir(), "collapsar-"));
  try {
    writeFileSync(join(folder, "saved_model.pb"), file);
    const graph = binding.loadSavedModel(folder, TAG);
    return {
      run: (feeds, outputs) => runGraph(binding, graph, feeds, outputs),
      close: () => binding.deleteSavedModel(graph),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runGraph(binding: Binding, graph: number, feeds: readonly Feed[], outputs: readonly string[]) {
  const tensors = feeds.map(({ dims, values }) => {
    const element = values instanceof Uint8Array ? binding.TF_UINT8 : binding.TF_FLOAT;
    return binding.createTensor(dims, element, values);
  });
  try {
    const names = feeds.map(({ name }) => name).join();
    return binding.runSavedModel(graph, tensors, names, outputs.join()).map(({ id }) => takeNumbers(binding, id));
  } finally {
    for (const tensor of tensors) binding.deleteTensor(tensor);
  }
}

function takeNumbers(binding: Binding, tensor: number): Float32Array {
  const numbers = binding.tensorDataSync(tensor);
  binding.deleteTensor(tensor);
  return numbers;
}
