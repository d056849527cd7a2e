import type { Checkpoint } from "../checkpoint.ts";
import { openArchive } from "./archive.ts";
import { isLegacy, openLegacy } from "./legacy.ts";
import { findStateDict } from "./stateDict.ts";
import { readTensors } from "./tensors.ts";
import { isZip } from "./zip.ts";

/** Returns whether the bytes are a zip archive as `torch.save` writes it: with an entry named `<root>/data.pkl`. */
export function isPytorchZip(bytes: Uint8Array): boolean {
  return isZip(bytes) && asBuffer(bytes).includes("/data.pkl");
}

/** Returns whether the bytes are of `torch.save` before PyTorch 1.6: a pickle of the format's magic number comes first. */
export function isPytorchLegacy(bytes: Uint8Array): boolean {
  return isLegacy(bytes);
}

/**
 * Returns the state dict of a file by `torch.save`, zip or legacy: tensors by name, and as metadata the scalars beside
 * it that say what network and run it is of. Nothing in the file is executed. The tensors are views of `bytes` where
 * they lie there aligned and in row-major order (else copies); F16 and BF16 are widened to float32.
 * @throws CollapsarError `malformed-checkpoint` that names what is wrong: a truncated or inconsistent file, a pickle that
 *   asks for anything but tensors, numbers, strings and their containers, tensors outside their storage, no state dict.
 */
export function readPytorch(bytes: Uint8Array): Checkpoint {
  const { saved, storages } = isZip(bytes) ? openArchive(bytes) : openLegacy(bytes);
  const { tensors, metadata } = findStateDict(saved);
  return { tensors: readTensors(tensors, storages, bytes.length), metadata };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
