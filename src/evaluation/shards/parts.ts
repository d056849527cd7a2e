import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openFile } from "../../storage/byteSource.ts";
import { openStorage } from "../../storage/open.ts";
import type { Storage, StorageCall } from "../../storage/storage.ts";
import { type FeatureFile, openFeatureFile } from "../features/file.ts";

/** Where shards leave their features for the merge: a features file for each set they have images of. */
export interface PartStore {
  readonly storage: Storage;
  /** URL of the folder. */
  readonly folder: string;
}

/** Which part: the images of one share of a shard. */
export interface PartKey {
  readonly evaluation: string;
  readonly shard: number;
  readonly share: number;
}

/** Returns the place of parts in the store under this URL, which is our own: no request names anything there. */
export function partStoreIn(store: string): PartStore {
  return { storage: openStorage({ fileRoots: null }), folder: `${store}/shards` };
}

/** Stores a features file as a part. @throws CollapsarError as `Storage.write`. */
export async function writePart(
  { storage, folder }: PartStore,
  key: PartKey,
  path: string,
  call: StorageCall,
): Promise<void> {
  await storage.write(urlOf(folder, key), { path }, call);
}

/**
 * Opens a part: in place where the store is a folder, else as a copy in the folder `copies`, for metrics read it several
 * times. @throws CollapsarError as `Storage.read`.
 */
export async function openPart(
  { storage, folder }: PartStore,
  key: PartKey,
  copies: string,
  call: StorageCall,
): Promise<FeatureFile> {
  const url = urlOf(folder, key);
  if (url.startsWith("file:")) {
    const head = await storage.head(url, call);
    return openFeatureFile(await openFile(fileURLToPath(head.url)));
  }
  const path = join(copies, nameOf(key));
  const { stream } = await storage.read(url, call);
  await writeFile(path, stream);
  return openFeatureFile(await openFile(path));
}

/** Removes all parts of an evaluation. @throws CollapsarError as `Storage.list` and `Storage.remove`. */
export async function removeParts({ storage, folder }: PartStore, evaluation: string): Promise<void> {
  for await (const { url } of storage.list(folder))
    if (url.slice(url.lastIndexOf("/") + 1).startsWith(`${evaluation}.`)) await storage.remove(url);
}

function urlOf(folder: string, key: PartKey): string {
  return `${folder}/${nameOf(key)}`;
}

function nameOf({ evaluation, shard, share }: PartKey): string {
  return `${evaluation}.${shard}.${share}.safetensors`;
}
