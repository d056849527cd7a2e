import { createHash } from "node:crypto";
import { CollapsarError } from "../errors.ts";
import type { ObjectHead, Storage, StorageCall } from "./storage.ts";
import { redactUrl } from "./url.ts";

/** A float64 checkpoint of half a billion parameters. */
export const MAX_CHECKPOINT_BYTES = 4 * 2 ** 30;

export interface DownloadOptions extends StorageCall {
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
 * Reads the object into memory, digested as it comes.
 * @throws CollapsarError `object-too-large` where it is, or turns out to be, larger than `maxBytes`;
 *   `storage-unavailable` where other than the promised number of bytes comes; and as `Storage.read`.
 */
export async function download(
  storage: Storage,
  url: string,
  { maxBytes = MAX_CHECKPOINT_BYTES, signal, onProgress }: DownloadOptions = {},
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
