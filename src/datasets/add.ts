import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { CollapsarError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import { type CatalogueName, entryOf } from "./catalogue.ts";
import { malformed } from "./malformed.ts";

/** A file that has been added. */
export interface AddedFile {
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly md5: string;
  /** Whether that is the digest its publisher gives; null where that is not known to us. */
  readonly published: true | null;
}

/**
 * Copies files of a dataset, under the names their publisher gave them, to `<folder>/<dataset>`, and returns them. All are
 * checked before the first is copied.
 * @throws CollapsarError `invalid-request` where one is no file of the dataset, `missing-dataset` where there is no such
 *   file, `malformed-dataset` where its digest is not the published one.
 */
export async function addFiles(
  dataset: CatalogueName,
  paths: readonly string[],
  folder: string,
  storage: Storage,
): Promise<AddedFile[]> {
  const checked: AddedFile[] = [];
  for (const path of paths) checked.push(await checkFile(dataset, path));
  for (const [i, { file }] of checked.entries())
    await storage.write(pathToFileURL(join(folder, dataset, file)).href, { path: paths[i]! });
  return checked;
}

async function checkFile(dataset: CatalogueName, path: string): Promise<AddedFile> {
  const file = basename(path);
  const names = namesOf(dataset);
  if (!names.has(file) && !names.has(file.replace(/\.gz$/, "")))
    throw new CollapsarError(
      "invalid-request",
      `${path}: no file of ${dataset}, expected ${[...names].join(", ")} (or gzipped, .gz)`,
    );
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) throw new CollapsarError("missing-dataset", `there is no file ${path}`);
  const md5 = await digestOf(path);
  const published = entryOf(dataset).md5[file];
  if (published !== undefined && !published.includes(md5))
    throw malformed(
      path,
      `its MD5 is ${md5}, expected ${published.join(" or ")}: it was not downloaded whole, or is packed anew`,
    );
  return { file, size: found.size, md5, published: published === undefined ? null : true };
}

/** Names of the files as they lie in the folder. */
function namesOf(dataset: CatalogueName): ReadonlySet<string> {
  const { files, archive } = entryOf(dataset);
  const all = [...files.train, ...files.test].map((name) => basename(name));
  return new Set(archive === null ? all : [archive, ...all]);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("md5");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
