import type { Network } from "../networks/network.ts";

export const ENGINE_NAMES = ["onnxruntime", "tensorflow", "wasm"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** Where an engine may run; which of them are there depends on the engine, its build and the machine. */
export const DEVICE_NAMES = ["cpu", "cuda", "webgpu"] as const;
export type DeviceName = (typeof DEVICE_NAMES)[number];

/** The images a model will get, all of one kind and size. */
export interface ImageInput {
  /** `pixels`: N×H×W×C uint8, normalised by the model. `normalised`: N×C×H×W float32, taken as they are. */
  readonly kind: "pixels" | "normalised";
  readonly height: number;
  readonly width: number;
}

/** N penultimate features (N×D) and logits (N×C), row-major float32. */
export interface Outputs {
  readonly features: Float32Array;
  readonly logits: Float32Array;
}

/** A network loaded on a device. Batches may differ in size. */
export interface Model {
  /** Runs `count` images, Uint8Array for `pixels` and Float32Array for `normalised`, and returns new arrays. */
  run(images: Uint8Array | Float32Array, count: number): Promise<Outputs>;
  dispose(): Promise<void>;
}

/** Where networks run. What it says of itself goes into the record of an evaluation. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  readonly device: string;
  readonly precision: "float32";
  /** Whether an image gives the same bits in a batch of any size, in networks that are graphs. */
  readonly batchInvariant: boolean;
  /**
   * @throws CollapsarError `missing-metadata` where pixels cannot be normalised; `wrong-shape` where the network takes
   *   images of another size; `unsupported-network` where this engine cannot run it.
   */
  load(network: Network, input: ImageInput): Promise<Model>;
}
