import { randomUUID } from "node:crypto";
import { type BigIntStats, constants, createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { CollapsarError } from "../errors.ts";
import { fill } from "./byteSource.ts";
import { asFileError } from "./fileErrors.ts";
import { absentAs, confineTo } from "./roots.ts";
import type { ByteRange, LocalFile, ObjectHead, Storage } from "./storage.ts";
import { parseObjectUrl, redactUrl, unsupportedUrl } from "./url.ts";

/** Reading and hashing takes 1.4 times as long in Node's 64 KiB (256 MiB, cached), and no less in 4 MiB. */
const CHUNK_BYTES = 2 ** 20;

/** A write in progress; never listed. */
const TEMPORARY = /^\.collapsar-[0-9a-f-]{36}\.tmp$/;

export interface FileOptions {
  /** Folders below which the real path of every target must lie; null for anywhere. */
  readonly roots: readonly string[] | null;
}

/**
 * Returns the storage of `file:///absolute/path` URLs. Symbolic links are followed where they stay below a root, and
 * are not listed.
 */
export function fileStorage({ roots }: FileOptions): Storage {
  const confined = confineTo(roots);

  /** Where an entry of a folder is made or removed: a link in its place is replaced, not followed. */
  async function confineEntry(url: string, path: string): Promise<string> {
    return join(await confined.placeOf(url, dirname(path)), basename(path));
  }

  return {
    head: (url, { signal } = {}) =>
      withFileErrors(url, signal, async () => {
        const path = toPath(url);
        return headOf(path, await confined.statOf(url, path));
      }),

    read: (url, { signal } = {}) =>
      withFileErrors(url, signal, async () => {
        const path = toPath(url);
        // without O_NONBLOCK, opening a pipe would wait for its writer
        const file = await open(await confined.placeOf(url, path), constants.O_RDONLY | constants.O_NONBLOCK);
        try {
          const head = headOf(path, await file.stat({ bigint: true }));
          const stream = file.createReadStream({ highWaterMark: CHUNK_BYTES });
          return { head, stream: chunksOf(url, stream, signal) };
        } catch (error) {
          await file.close();
          throw error;
        }
      }),

    readRange: ({ url, etag }, range, { signal } = {}) =>
      withFileErrors(url, signal, async () => {
        const path = toPath(url);
        const file = await open(await confined.placeOf(url, path), constants.O_RDONLY | constants.O_NONBLOCK);
        try {
          if (headOf(path, await file.stat({ bigint: true })).etag !== etag) throw changed(url);
          return await readWhole(file, range, url);
        } finally {
          await file.close();
        }
      }),

    write: (url, content, { signal } = {}) =>
      withFileErrors(url, signal, async () => {
        const path = toPath(url);
        const target = await confineEntry(url, path);
        await mkdir(dirname(target), { recursive: true });
        await replace(target, content, signal);
        return headOf(path, await stat(target, { bigint: true }));
      }),

    async *list(prefix, { signal } = {}) {
      yield* await withFileErrors(prefix, signal, async () => {
        const folder = toPath(prefix, { folder: true });
        return listFolder(folder, await confined.placeOf(prefix, folder));
      });
    },

    remove: (url, { signal } = {}) =>
      withFileErrors(url, signal, async () => {
        await unlink(await confineEntry(url, toPath(url))).catch(absentAs(undefined));
      }),
  };
}

function toPath(url: string, { folder = false } = {}): string {
  const { host, path } = parseObjectUrl(url, { folder });
  if (host !== "") throw unsupportedUrl(url, "a file URL names no host, expected file:///path");
  return `/${path}`;
}

function headOf(path: string, stats: BigIntStats): ObjectHead {
  const url = pathToFileURL(path).href;
  if (!stats.isFile()) throw new CollapsarError("object-not-found", `"${redactUrl(url)}" is not a file`);
  // the time of change moves even where a copy keeps the time of modification
  return { url, size: Number(stats.size), etag: `${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}` };
}

async function readWhole(file: FileHandle, { start, end }: ByteRange, url: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  if ((await fill(bytes, file, start)) < bytes.length) throw changed(url);
  return bytes;
}

function changed(url: string): CollapsarError {
  return new CollapsarError("storage-unavailable", `"${redactUrl(url)}" changed while it was read`);
}

async function* chunksOf(
  url: string,
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } catch (error) {
    throw asFileError(url, error, signal);
  }
}

/** Writes beside the target, and takes its place only when everything is on the disk. */
async function replace(
  target: string,
  content: Uint8Array | LocalFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  const temporary = join(dirname(target), `.collapsar-${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "wx");
    try {
      const data = "path" in content ? createReadStream(content.path, { highWaterMark: CHUNK_BYTES }) : content;
      await file.writeFile(data, { signal });
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** `folder` is what the URLs are made of, `real` where it lies. */
async function listFolder(folder: string, real: string): Promise<ObjectHead[]> {
  const entries = await readdir(real, { recursive: true, withFileTypes: true }).catch(absentAs([]));
  const files = entries.filter((entry) => entry.isFile() && !TEMPORARY.test(entry.name));
  const heads: ObjectHead[] = [];
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const stats = await stat(path, { bigint: true }).catch(absentAs(null)); // removed since
    if (stats) heads.push(headOf(join(folder, relative(real, path)), stats));
  }
  return heads.sort((a, b) => (a.url < b.url ? -1 : 1));
}

async function withFileErrors<T>(url: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    throw asFileError(url, error, signal);
  }
}
