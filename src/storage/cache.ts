import { createHash, randomUUID } from "node:crypto";
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { log } from "../logging.ts";
import { cacheAsked } from "../telemetry/events.ts";
import { type ByteSource, bytesOf } from "./byteSource.ts";
import { absentAs } from "./roots.ts";
import type { StorageCall } from "./storage.ts";

/**
 * A folder of files that any process may add and remove at any time: contents, each named by its sha256, and keys, each a
 * file that says which content belongs to it. Nothing is lost with them, and none is trusted before its digest was taken.
 */
export interface CacheFolder {
  readonly folder: string;
  /** What its files may take together; 0 keeps nothing. */
  readonly bytes: number;
}

/** What a content is: an object of a store, or features; and all that decides its bytes. */
export interface CacheKey {
  readonly kind: "object" | "features";
  readonly of: string;
}

/** A content of the cache, open: it stays readable when others remove it. */
export interface CachedContent extends ByteSource {
  readonly sha256: string;
}

/** What a file takes at least: most are keys, of 64 bytes. */
const BLOCK_BYTES = 4096;

/** Of the disk; a cache that takes the last of it takes it from the database. */
const LEFT_FREE = 0.05;

/**
 * Of the room that is left: how much a process adds before it looks through the folder again, for others add too. Where room
 * is made, as much of the limit is made free: to look through 20,000 files takes 0.3 s.
 */
const UNSEEN = 0.1;

const CHUNK_BYTES = 2 ** 20;

/** What this process may still add to a folder before it looks through it. */
const unseen = new Map<string, number>();

/** Returns the content that was kept under `key`, or null; one whose bytes are not what they were is removed. */
export async function openCached(
  cache: CacheFolder | undefined,
  key: CacheKey,
  { signal }: StorageCall = {},
): Promise<CachedContent | null> {
  if (!cache || cache.bytes === 0) return null;
  const content = await orNothing("read", () => openContent(cache.folder, key, signal));
  cacheAsked.tell({ kind: key.kind, found: content !== null });
  return content;
}

/**
 * Keeps the file that `write` makes at the path it is given, of about `size` bytes, under `key`, and for that removes what was
 * least recently used. A disk that is full or read-only is no error: then nothing is kept.
 */
export async function keepInCache(
  cache: CacheFolder | undefined,
  key: CacheKey,
  size: number,
  write: (path: string) => Promise<void>,
  { signal }: StorageCall = {},
): Promise<void> {
  const needed = blocks(size) + BLOCK_BYTES;
  if (!cache || needed > cache.bytes) return;
  await orNothing("written", async () => {
    await mkdir(cache.folder, { recursive: true });
    if (await makeRoom(cache, needed)) await keep(cache.folder, key, write, signal);
    return null;
  });
}

async function keep(
  folder: string,
  key: CacheKey,
  write: (path: string) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  // left behind by a process that is killed, it ages and is removed like any other file
  const temporary = join(folder, `${randomUUID()}.tmp`);
  try {
    await write(temporary);
    const file = await open(temporary);
    const sha256 = await digestOf(file, signal).finally(() => file.close());
    await rename(temporary, join(folder, sha256));
    await writeFile(keyPath(folder, key), sha256); // half of it is no digest, and leads nowhere
  } finally {
    await rm(temporary, { force: true });
  }
}

async function openContent(
  folder: string,
  key: CacheKey,
  signal: AbortSignal | undefined,
): Promise<CachedContent | null> {
  const pathOfKey = keyPath(folder, key);
  const sha256 = await readFile(pathOfKey, "utf8").catch(absentAs(""));
  if (!/^[0-9a-f]{64}$/.test(sha256)) return null;
  const path = join(folder, sha256);
  const file = await open(path).catch(absentAs(null));
  if (!file) return null;
  try {
    if ((await digestOf(file, signal)) === sha256) {
      const now = new Date();
      // used together, they age together
      for (const used of [pathOfKey, path]) await utimes(used, now, now).catch(absentAs(undefined));
      return { sha256, ...(await bytesOf(file, "a file of the cache")) };
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  log.warn({ sha256 }, "a damaged file of the cache is removed");
  await rm(path, { force: true });
  return null;
}

function blocks(size: number): number {
  return Math.max(size, BLOCK_BYTES);
}

/** Returns whether there is room for `size` bytes, after what was least recently used has gone. */
async function makeRoom({ folder, bytes: limit }: CacheFolder, size: number): Promise<boolean> {
  const disk = await statfs(folder);
  if ((disk.bavail - disk.blocks * LEFT_FREE) * disk.bsize < size) return false;
  const allowed = unseen.get(folder) ?? 0;
  if (size <= allowed) {
    unseen.set(folder, allowed - size);
    return true;
  }
  const entries = (await readdir(folder)).map(async (name) => {
    const path = join(folder, name);
    const stats = await stat(path).catch(absentAs(null)); // removed since
    return stats && { path, bytes: blocks(stats.size), used: stats.mtimeMs };
  });
  const present = (await Promise.all(entries)).filter((entry) => entry !== null).sort((a, b) => a.used - b.used);
  let total = present.reduce((sum, { bytes }) => sum + bytes, size);
  const target = total > limit ? limit * (1 - UNSEEN) : limit;
  for (const { path, bytes } of present) {
    if (total <= target) break;
    await rm(path, { force: true });
    total -= bytes;
  }
  unseen.set(folder, Math.max(limit - total, 0) * UNSEEN);
  return true;
}

function keyPath(folder: string, { kind, of }: CacheKey): string {
  return join(folder, `${createHash("sha256").update(`${kind} ${of}`).digest("hex")}.key`);
}

async function digestOf(file: FileHandle, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  // with a position of its own, the stream leaves the file as it is
  for await (const chunk of file.createReadStream({ start: 0, autoClose: false, highWaterMark: CHUNK_BYTES })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest("hex");
}

/** What the file system refuses is logged, and no more: the work goes on without the cache. */
async function orNothing<T>(what: string, work: () => Promise<T | null>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    log.warn({ error: error.message }, `the cache could not be ${what}`);
    return null;
  }
}
