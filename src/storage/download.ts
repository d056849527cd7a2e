import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { CollapsarError } from "../errors.ts";
import { type CacheFolder, type CacheKey, keepInCache, openCached } from "./cache.ts";
import type { ObjectHead, Storage, StorageCall } from "./storage.ts";
import { redactUrl } from "./url.ts";

/** A float64 checkpoint of half a billion parameters. */
export const MAX_CHECKPOINT_BYTES = 4 * 2 ** 30;

export interface DownloadOptions extends StorageCall {
  /** Where objects that are not files of this machine are kept, and looked for first. */
  readonly cache?: CacheFolder | undefined;
  /** Default `MAX_CHECKPOINT_BYTES`. */
  readonly maxBytes?: number;
  /** Called after every chunk with the bytes received so far and in all. */
  readonly onProgress?: (received: number, total: number) => void;
}

/** An object in memory, and the sha256 (hex) of its bytes. */
export interface Download {
  readonly head: ObjectHead;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Reads the object into memory, digested as it comes: from the cache, where it has this version of the object.
 * @throws CollapsarError `object-too-large` where it is, or turns out to be, larger than `maxBytes`;
 *   `storage-unavailable` where other than the promised number of bytes comes; and as `Storage.read`.
 */
export async function download(storage: Storage, url: string, options: DownloadOptions = {}): Promise<Download> {
  const { cache, signal } = options;
  if (!cache || cache.bytes === 0 || /^file:/i.test(url)) return transfer(storage, url, options);
  const cached = await readCached(await storage.head(url, { signal }), options);
  if (cached) return cached;
  const transferred = await transfer(storage, url, options);
  const { head, bytes } = transferred;
  await keepInCache(cache, keyOf(head), bytes.length, (path) => writeFile(path, bytes), { signal });
  return transferred;
}

/** The URL goes in with its query, which may name the object: of that the cache shows a digest only. */
function keyOf({ url, etag, size }: ObjectHead): CacheKey {
  return { kind: "object", of: JSON.stringify([url, etag, size]) };
}

async function readCached(
  head: ObjectHead,
  { cache, maxBytes = MAX_CHECKPOINT_BYTES, signal, onProgress }: DownloadOptions,
): Promise<Download | null> {
  if (head.size > maxBytes) throw tooLarge(head, maxBytes);
  const content = await openCached(cache, keyOf(head), { signal });
  if (!content) return null;
  const { size, sha256 } = content;
  const bytes = new Uint8Array(size);
  await content.readInto(bytes, 0).finally(content.close);
  onProgress?.(size, size);
  return { head, bytes, sha256 };
}

async function transfer(
  storage: Storage,
  url: string,
  { maxBytes = MAX_CHECKPOINT_BYTES, signal, onProgress }: DownloadOptions,
): Promise<Download> {
  const { head, stream } = await storage.read(url, { signal });
  const hash = createHash("sha256");
  const bytes = new Uint8Array(Math.min(head.size, maxBytes));
  let received = 0;
  for await (const chunk of stream) {
    const end = received + chunk.length;
    if (Math.max(head.size, end) > maxBytes) throw tooLarge(head, maxBytes);
    if (end > head.size) throw wrongLength(head, end);
    bytes.set(chunk, received);
    hash.update(chunk);
    received = end;
    onProgress?.(received, head.size);
  }
  if (received < head.size) throw wrongLength(head, received);
  return { head, bytes, sha256: hash.digest("hex") };
}

function tooLarge({ url, size }: ObjectHead, maxBytes: number): CollapsarError {
  const message = `"${redactUrl(url)}" has ${size} bytes, more than the limit of ${maxBytes}`;
  return new CollapsarError("object-too-large", message);
}

function wrongLength({ url, size }: ObjectHead, received: number): CollapsarError {
  const message = `"${redactUrl(url)}" sent ${received} bytes of ${size}: it changed, or was cut off, while it was read`;
  return new CollapsarError("storage-unavailable", message);
}
