import type { Network } from "../networks/network.ts";

export const ENGINE_NAMES = ["onnxruntime", "wasm"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** `pixels`: N×H×W×C uint8, normalised inside the graph. `normalised`: N×C×H×W float32, taken as it is. */
export type InputKind = "pixels" | "normalised";

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

/** Where graphs run. What it says of itself goes into the record of an evaluation. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  readonly device: string;
  readonly precision: "float32";
  load(network: Network, input: InputKind): Promise<Model>;
}
