import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Storage } from "../../storage/storage.ts";

/** The bytes of a file, read from any place, several times. */
export interface ByteSource {
  readonly size: number;
  /** Fills `target` with the bytes from `offset` on. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

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
  const handle = await open(path);
  const { size } = await handle.stat();
  return {
    size,
    async readInto(target, offset) {
      for (let done = 0; done < target.length; ) {
        const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
        if (bytesRead === 0)
          throw new Error(`${path} ends at byte ${offset + done}, ${offset + target.length} expected`);
        done += bytesRead;
      }
    },
    close: () => handle.close(),
  };
}
