import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import util from "node:util";
import { CollapsarError } from "../../errors.ts";

const GPU_PACKAGE = "@tensorflow/tfjs-node-gpu";

/** In the order in which they are tried. Both hold the same binding; what differs is the TensorFlow beside it. */
const PACKAGES = [GPU_PACKAGE, "@tensorflow/tfjs-node"];

const HINT = 'run "npm run tensorflow" in the clone of Collapsar (with "-- --gpu" for a GPU)';

/** Native TensorFlow, loaded into this process. */
export interface NativeTensorflow {
  /** The npm package that brought it. */
  readonly package: string;
  /** The name of its TensorFlow.js backend. */
  readonly backend: string;
  /** The version of libtensorflow, not of the npm package. */
  readonly version: string;
  readonly device: "cpu" | "gpu";
  readonly binding: Binding;
}

/** The native part of tfjs-node, as far as we use it. Tensors and graphs are known by numbers. */
export interface Binding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_UINT8: number;
  createTensor(shape: readonly number[], element: number, values: Uint8Array | Float32Array): number;
  /** Returns a copy. */
  tensorDataSync(tensor: number): Float32Array;
  deleteTensor(tensor: number): void;
  /** Takes the folder of the graph and its tag. */
  loadSavedModel(folder: string, tag: string): number;
  /** Takes the names of inputs and outputs, by commas. */
  runSavedModel(graph: number, tensors: readonly number[], inputs: string, outputs: string): readonly { id: number }[];
  deleteSavedModel(graph: number): void;
}

interface TfjsNode {
  findBackend(name: string): { isUsingGpuDevice: boolean; binding: Binding };
}

/** Returns whether the build for GPUs is installed; whether it finds a GPU only loading it tells. */
export function hasGpuBuild(): boolean {
  return existsSync(bindingOf(GPU_PACKAGE) ?? "");
}

/**
 * Returns native TensorFlow, loaded from the build for GPUs or else from the one for CPUs, as the backend that
 * TensorFlow.js now works on. The first caller decides how many threads it has: without a number as many as there are cores.
 * @throws CollapsarError `missing-engine` where neither is installed or it does not load.
 */
export async function loadNative(threads?: number): Promise<NativeTensorflow> {
  const name = PACKAGES.find((candidate) => existsSync(bindingOf(candidate) ?? ""));
  if (!name)
    throw new CollapsarError("missing-engine", `native TensorFlow is not installed: ${whatIsMissing()}; ${HINT}`);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  if (threads) {
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
    process.env.TF_NUM_INTEROP_THREADS = String(threads);
  }
  // else convolutions of float32 are rounded to TF32 on newer GPUs, and the record would not be true
  process.env.NVIDIA_TF32_OVERRIDE = "0";
  restoreUtil();
  const { isUsingGpuDevice, binding } = await backendOf(name);
  return {
    package: name,
    backend: "tensorflow",
    version: binding.TF_Version,
    device: isUsingGpuDevice ? "gpu" : "cpu",
    binding,
  };
}

/** Where the package's native part lies or should lie; undefined where the package itself is absent. */
function bindingOf(name: string): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifest), "lib/napi-v8/tfjs_binding.node");
  } catch {
    return undefined;
  }
}

function whatIsMissing(): string {
  const half = PACKAGES.find((name) => bindingOf(name));
  return half ? `${half} is here without its binding` : `the package ${PACKAGES.at(-1)} is not here`;
}

async function backendOf(name: string): Promise<ReturnType<TfjsNode["findBackend"]>> {
  try {
    const module: { default: TfjsNode } = await import(name);
    return module.default.findBackend("tensorflow");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new CollapsarError("missing-engine", `${name} does not load: ${reason}; ${HINT}`, { cause });
  }
}

/** tfjs-node 4.22 calls two functions that Node 23 took out of `util`. */
function restoreUtil(): void {
  const target: Record<string, unknown> = util as unknown as Record<string, unknown>;
  target.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  target.isArray ??= Array.isArray;
}
