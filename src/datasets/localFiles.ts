import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";
import { malformed } from "./malformed.ts";
import { readTar } from "./tar.ts";

const gunzip = promisify(gunzipCallback);

/** What a gzip file may hold; the largest of the datasets known by name, CIFAR-10's archive, has 0.18 GB. */
const MAX_UNPACKED_BYTES = 2 ** 30;

/** A file of a dataset on this machine: one by itself, or in an archive. */
export interface FoundFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly changed: number;
  /** Its name in the archive `path`; null for a file by itself. */
  readonly member: string | null;
}

/** The content of a file, and what errors call it. */
export interface SourceFile {
  readonly bytes: Uint8Array;
  readonly source: string;
}

/**
 * Returns the files `names` in the folder `place`: each with its folder or without, gzipped (`.gz`) or not, else all in
 * `archive`; null where one is missing.
 */
export async function findFiles(
  place: string,
  names: readonly string[],
  archive: string | null,
): Promise<FoundFile[] | null> {
  const single = await Promise.all(
    names.map((name) =>
      firstOf([name, `${name}.gz`, basename(name), `${basename(name)}.gz`].map((as) => join(place, as))),
    ),
  );
  if (names.length > 0 && single.every((file) => file !== null)) return single;
  const whole = archive === null ? null : await firstOf([join(place, archive)]);
  return whole && names.length > 0 ? names.map((member) => ({ ...whole, member })) : null;
}

/**
 * Returns the contents of `files`, unpacked; an archive is read once.
 * @throws CollapsarError `malformed-dataset` that names the file.
 */
export async function readFiles(files: readonly FoundFile[]): Promise<SourceFile[]> {
  const unpacked = new Map<string, Promise<Uint8Array>>();
  for (const { path } of files) if (!unpacked.has(path)) unpacked.set(path, readUnpacked(path));
  return Promise.all(
    files.map(async ({ path, member }) => {
      const bytes = await unpacked.get(path)!;
      if (member === null) return { bytes, source: path };
      const content = readTar(bytes, path).get(member);
      if (!content) throw malformed(path, `the archive holds no ${member}`);
      return { bytes: content, source: `${path} (${member})` };
    }),
  );
}

/**
 * Returns what the gzip file `source` holds.
 * @throws CollapsarError `malformed-dataset` where it is not whole.
 */
export async function unpack(stored: Uint8Array, source: string): Promise<Uint8Array> {
  try {
    return await gunzip(stored, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    throw malformed(source, "not a whole gzip file", cause);
  }
}

async function readUnpacked(path: string): Promise<Uint8Array> {
  const stored = await readFile(path);
  return path.endsWith("gz") ? unpack(stored, path) : stored;
}

async function firstOf(paths: readonly string[]): Promise<FoundFile | null> {
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) return { path, size: found.size, changed: found.mtimeMs, member: null };
  }
  return null;
}
