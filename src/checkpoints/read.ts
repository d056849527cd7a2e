import { CollapsarError } from "../errors.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { looksLikeOnnx, readOnnx } from "./onnx/readOnnx.ts";
import { isPytorchLegacy, isPytorchZip, readPytorch } from "./pytorch/readPytorch.ts";
import { looksLikeSafetensors, readSafetensors } from "./safetensors.ts";

const FORMATS: readonly {
  readonly is: (bytes: Uint8Array) => boolean;
  readonly read: (bytes: Uint8Array) => Checkpoint;
}[] = [
  { is: looksLikeSafetensors, read: readSafetensors },
  { is: isPytorchZip, read: readPytorch },
  { is: isPytorchLegacy, read: readPytorch },
  { is: looksLikeOnnx, read: readOnnx },
];

/**
 * Returns the checkpoint in a file of one of the formats we know, told by its content: safetensors, a `state_dict` saved
 * by `torch.save` (zip or legacy), ONNX.
 * @throws CollapsarError `malformed-checkpoint` that says what is wrong, or that it is none of them.
 */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const format = FORMATS.find(({ is }) => is(bytes));
  if (format) return format.read(bytes);
  throw new CollapsarError(
    "malformed-checkpoint",
    `not a checkpoint of a format we know (${bytes.length} bytes, starting with ${startOf(bytes)}): expected safetensors, a state_dict by torch.save, ONNX, or the model.json of a TensorFlow.js layers model`,
  );
}

function startOf(bytes: Uint8Array): string {
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return start === "" ? "nothing" : start;
}
