import { fileStorage } from "./file.ts";
import { requireAllowed, SCHEMES } from "./policy.ts";
import type { Storage } from "./storage.ts";
import { unsupportedUrl } from "./url.ts";

export interface StorageOptions {
  /** Folders below which `file://` URLs must lie; null for anywhere. */
  readonly fileRoots: readonly string[] | null;
  /** What URLs may lead to, as `requireAllowed` has it; default anything. */
  readonly allowed?: readonly string[] | null;
}

/**
 * Returns the storage of every URL scheme there is: `file`, `s3` and `https`. The clients of the latter are loaded at the
 * first such URL, so who uses files only never loads them.
 */
export function openStorage({ fileRoots, allowed = null }: StorageOptions): Storage {
  const file = fileStorage({ roots: fileRoots });
  let s3: Promise<Storage> | undefined;
  let https: Promise<Storage> | undefined;

  async function storageOf(url: string): Promise<Storage> {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
    if (!isKnown(scheme)) throw unsupportedUrl(url, "expected a URL with the scheme file, s3 or https");
    requireAllowed(url, allowed);
    if (scheme === "file") return file;
    if (scheme === "https") {
      https ??= import("./https.ts").then(({ httpsStorage }) => httpsStorage({ allowed }));
      return https;
    }
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

function isKnown(scheme: string | undefined): scheme is (typeof SCHEMES)[number] {
  return (SCHEMES as readonly (string | undefined)[]).includes(scheme);
}
