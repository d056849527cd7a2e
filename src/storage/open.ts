import { fileStorage } from "./file.ts";
import type { Storage } from "./storage.ts";
import { unsupportedUrl } from "./url.ts";

export interface StorageOptions {
  /** Folders below which `file://` URLs must lie; null for anywhere. */
  readonly fileRoots: readonly string[] | null;
}

/**
 * Returns the storage of every URL scheme there is: `file` and `s3`. The S3 client is made at the first `s3://` URL, so
 * who uses files only never loads it.
 */
export function openStorage({ fileRoots }: StorageOptions): Storage {
  const file = fileStorage({ roots: fileRoots });
  let s3: Promise<Storage> | undefined;

  async function storageOf(url: string): Promise<Storage> {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
    if (scheme === "file") return file;
    if (scheme !== "s3") throw unsupportedUrl(url, "expected a URL with the scheme file or s3");
    s3 ??= import("./s3.ts").then(({ s3Client, s3Storage }) => s3Storage(s3Client()));
    return s3;
  }

  return {
    head: async (url, call) => (await storageOf(url)).head(url, call),
    read: async (url, call) => (await storageOf(url)).read(url, call),
    readRange: async (head, range, call) => (await storageOf(head.url)).readRange(head, range, call),
    write: async (url, bytes, call) => (await storageOf(url)).write(url, bytes, call),
    async *list(prefix, call) {
      yield* (await storageOf(prefix)).list(prefix, call);
    },
    remove: async (url, call) => (await storageOf(url)).remove(url, call),
  };
}
