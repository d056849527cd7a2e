import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";
import { CollapsarError } from "../errors.ts";
import type { Dataset } from "./dataset.ts";
import { readIdx } from "./idx.ts";
import { inMemory } from "./inMemory.ts";

const gunzip = promisify(gunzipCallback);

/** Datasets of four IDX files, and where to get these. */
const SOURCES = {
  mnist: "download them from https://storage.googleapis.com/cvdf-datasets/mnist",
  "fashion-mnist": "Debian's package dataset-fashion-mnist installs them",
  "fashion-sample": "it comes with Collapsar, and has a test part only",
} as const;

/** Where the datasets that come with Collapsar are; beside `src` in a clone, beside `dist` in the package. */
const BUNDLED = fileURLToPath(new URL("../../data", import.meta.url));

export type IdxName = keyof typeof SOURCES;
export const IDX_NAMES = Object.keys(SOURCES) as IdxName[];

const FILES = {
  train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
  test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
} as const;

/**
 * Returns the images and labels of a part, in the order of the files, from the first of `<folder>/<dataset>` that has
 * both, gzipped (`.gz`) or not.
 * @throws CollapsarError `missing-dataset` that says what to put where, `malformed-dataset` that names the file.
 */
export async function openIdxPair(
  name: string,
  dataset: IdxName,
  part: "train" | "test",
  folders: readonly string[],
): Promise<Dataset> {
  const files = await findPair(dataset, part, folders);
  const [images, labels] = await Promise.all([readArray(files[0], 3), readArray(files[1], 1)]);
  const [length, height, width] = images.shape as [number, number, number];
  if (labels.data.length !== length)
    throw new CollapsarError(
      "malformed-dataset",
      `${files[1].path}: ${labels.data.length} labels for ${length} images`,
    );
  return inMemory(name, {
    images: images.data,
    labels: Int32Array.from(labels.data),
    length,
    height,
    width,
    channels: 1,
  });
}

/** Returns a mark of the content: path, size and time of change of both files. @throws as `openIdxPair`. */
export async function idxPairVersion(
  dataset: IdxName,
  part: "train" | "test",
  folders: readonly string[],
): Promise<string> {
  const files = await findPair(dataset, part, folders);
  return files.map(({ path, size, changed }) => `${path}:${size}:${changed}`).join(" ");
}

interface FoundFile {
  readonly path: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly changed: number;
}

async function findPair(
  dataset: IdxName,
  part: "train" | "test",
  folders: readonly string[],
): Promise<[FoundFile, FoundFile]> {
  const places = [...folders, BUNDLED].map((folder) => join(folder, dataset));
  for (const place of places) {
    const found = await Promise.all(FILES[part].map((file) => findFile(join(place, file))));
    if (found.every((file) => file !== null)) return found as [FoundFile, FoundFile];
  }
  throw new CollapsarError(
    "missing-dataset",
    `${dataset} needs ${FILES[part].map((file) => `${file}.gz`).join(" and ")} in ${places.join(" or ")}: ${SOURCES[dataset]}`,
  );
}

async function findFile(path: string): Promise<FoundFile | null> {
  for (const candidate of [path, `${path}.gz`]) {
    const found = await stat(candidate).catch(() => null);
    if (found?.isFile()) return { path: candidate, size: found.size, changed: found.mtimeMs };
  }
  return null;
}

async function readArray({ path }: FoundFile, dimensions: number) {
  const stored = await readFile(path);
  const bytes = path.endsWith(".gz")
    ? await gunzip(stored).catch((cause) => Promise.reject(notGzip(path, cause)))
    : stored;
  return readIdx(bytes, dimensions, path);
}

function notGzip(path: string, cause: unknown): CollapsarError {
  return new CollapsarError("malformed-dataset", `${path}: not a whole gzip file`, { cause });
}
