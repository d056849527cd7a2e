import { malformed, quoted } from "./malformed.ts";
import { unpickle } from "./unpickle.ts";
import type { PickleValue } from "./values.ts";
import { readStoredEntries } from "./zip.ts";

/**
 * Returns what a zip file of `torch.save` holds: the object saved (`<root>/data.pkl`), and the bytes of its storages by
 * key (`<root>/data/<key>`), which are views of the file.
 * @throws CollapsarError `malformed-checkpoint`
 */
export function openArchive(file: Uint8Array): { saved: PickleValue; storages: ReadonlyMap<string, Uint8Array> } {
  const { root, entries } = underRoot(readStoredEntries(file));
  const pickle = entries.get("data.pkl");
  if (!pickle) throw malformed(`the archive has no entry ${quoted(`${root}/data.pkl`)}`);
  checkByteOrder(entries.get("byteorder"));
  const storages = [...entries].filter(([name]) => name.startsWith("data/"));
  return {
    saved: unpickle(pickle).value,
    storages: new Map(storages.map(([name, bytes]) => [name.slice("data/".length), bytes])),
  };
}

/** All entries lie in one folder, named after the file that was saved. */
function underRoot(entries: ReadonlyMap<string, Uint8Array>): { root: string; entries: Map<string, Uint8Array> } {
  const [root = ""] = (entries.keys().next().value ?? "").split("/");
  const inside = new Map<string, Uint8Array>();
  for (const [name, bytes] of entries) {
    if (!name.startsWith(`${root}/`))
      throw malformed(`the archive holds ${quoted(name)} outside its folder ${quoted(root)}`);
    inside.set(name.slice(root.length + 1), bytes);
  }
  return { root, entries: inside };
}

/** Files from before PyTorch 2.1 do not say theirs, and machines were little-endian. */
function checkByteOrder(entry: Uint8Array | undefined): void {
  if (entry && Buffer.from(entry.subarray(0, 16)).toString() !== "little")
    throw malformed("its numbers are not little-endian");
}
