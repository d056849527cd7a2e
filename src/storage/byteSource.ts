import { type FileHandle, open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Storage } from "./storage.ts";

/** The bytes of a file, read from any place, several times. */
export interface ByteSource {
  readonly size: number;
  /** The descriptor, where it is an open file. */
  readonly fd?: number;
  /** Fills `target` with the bytes from `offset` on. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** One read takes no more than 2 GiB. */
const LONGEST_READ_BYTES = 2 ** 30;

/**
 * Opens the object under `url` for reading by ranges: a local file as such, any other by requests for ranges.
 * @throws CollapsarError as `Storage.head`; reading, as `Storage.readRange`.
 */
export async function openByteSource(storage: Storage, url: string): Promise<ByteSource> {
  const head = await storage.head(url);
  if (head.url.startsWith("file:")) return openFile(fileURLToPath(head.url));
  return {
    size: head.size,
    async readInto(target, offset) {
      target.set(await storage.readRange(head, { start: offset, end: offset + target.length }));
    },
    async close() {},
  };
}

/** Opens a local file. */
export async function openFile(path: string): Promise<ByteSource> {
  return bytesOf(await open(path), path);
}

/** Returns the bytes of an open file, called `name` where it turns out shorter than it was, and closed with them. */
export async function bytesOf(file: FileHandle, name: string): Promise<ByteSource> {
  const { size } = await file.stat();
  return {
    size,
    fd: file.fd,
    async readInto(target, offset) {
      const end = offset + (await fill(target, file, offset));
      if (end < offset + target.length)
        throw new Error(`${name} ends at byte ${end}, ${offset + target.length} expected`);
    },
    close: () => file.close(),
  };
}

/** Fills `target` with the bytes of the file from `offset` on, and returns how many there were: fewer where it ends before. */
export async function fill(target: Uint8Array, file: FileHandle, offset: number): Promise<number> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(target.length - done, LONGEST_READ_BYTES);
    const { bytesRead } = await file.read(target, done, length, offset + done);
    if (bytesRead === 0) return done;
    done += bytesRead;
  }
  return target.length;
}
