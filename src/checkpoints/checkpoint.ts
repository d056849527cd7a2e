import type { ModelProto } from "./onnx/schema.ts";

/** Element types we read, by their safetensors names. */
export type DType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** Row-major numbers with a shape. F16 and BF16 are widened to Float32Array when read, I64 stays BigInt64Array. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;
}

/** What a file says of its network itself, where it holds more than numbers. */
export type Definition =
  | { readonly format: "onnx"; readonly file: Uint8Array; readonly model: ModelProto }
  /** The `modelTopology` of a TensorFlow.js layers model. */
  | { readonly format: "tfjs-layers"; readonly topology: unknown };

/** A checkpoint in memory: tensors by PyTorch's names, and string metadata. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Absent where the file is a `state_dict`, whose network follows from names, shapes and metadata. */
  readonly definition?: Definition;
}
