import { malformed, quoted } from "./malformed.ts";
import { bytesOf } from "./tensors.ts";
import { unpickle } from "./unpickle.ts";
import { isCount, type PickleValue, type Storage } from "./values.ts";

/** `torch.serialization.MAGIC_NUMBER`, 0x1950a86a20f9469cfc6c, as the opcode LONG1 holds it: length, little-endian. */
const MAGIC = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL_VERSION = 1001;
/** PyTorch takes 27 for the longest; so only the object itself can be large. */
const PREAMBLE_OPERATIONS = 100;

/** Returns whether the bytes start with the pickle of the magic number, in protocol 2 to 5. */
export function isLegacy(bytes: Uint8Array): boolean {
  // from protocol 4 on a frame, the opcode 0x95 and 8 bytes, comes in between
  const start = bytes[2] === 0x95 ? 11 : 2;
  return bytes[0] === 0x80 && bytes[1]! >= 2 && MAGIC.every((byte, i) => bytes[start + i] === byte);
}

/**
 * Returns what a legacy file holds: the object saved, and the bytes of its storages by key. Such a file is five pickles
 * (magic number, version, system, object, keys), then for every key the number of elements and the elements.
 * Source: `_legacy_save` in https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
 * @throws CollapsarError `malformed-checkpoint`
 */
export function openLegacy(file: Uint8Array): { saved: PickleValue; storages: ReadonlyMap<string, Uint8Array> } {
  if (!isLegacy(file)) throw malformed("neither a zip archive nor a pickle of the legacy format's magic number");
  const magic = unpickle(file, 0, PREAMBLE_OPERATIONS);
  const version = unpickle(file, magic.end, PREAMBLE_OPERATIONS);
  const system = unpickle(file, version.end, PREAMBLE_OPERATIONS);
  checkPreamble(version.value, system.value);
  const saved = unpickle(file, system.end);
  const keys = unpickle(file, saved.end, 100 + 4 * saved.storages.size);
  return { saved: saved.value, storages: readStorages(file, keys.end, keys.value, saved.storages) };
}

function checkPreamble(version: PickleValue, system: PickleValue): void {
  if (version !== PROTOCOL_VERSION) throw malformed(`the legacy format's version must be ${PROTOCOL_VERSION}`);
  if (!(system instanceof Map) || system.get("little_endian") !== true)
    throw malformed("its numbers are not little-endian");
}

function readStorages(
  file: Uint8Array,
  start: number,
  keys: PickleValue,
  known: ReadonlyMap<string, Storage>,
): ReadonlyMap<string, Uint8Array> {
  if (!Array.isArray(keys)) throw malformed("the list of its storages is no list");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const storages = new Map<string, Uint8Array>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === "string" ? known.get(key) : undefined;
    if (!storage)
      throw malformed(
        `it lists the storage ${typeof key === "string" ? quoted(key) : "of no name"}, which the pickle does not know`,
      );
    if (file.length - at < 8) throw malformed(`truncated: no storage ${quoted(storage.key)}`);
    const elements = Number(view.getBigInt64(at, true));
    const size = elements * bytesOf(storage.dtype);
    if (!isCount(elements) || size > file.length - at - 8)
      throw malformed(
        `truncated: storage ${quoted(storage.key)} takes ${size} bytes, ${file.length - at - 8} are left`,
      );
    storages.set(storage.key, file.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return storages;
}
