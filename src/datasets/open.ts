import type { CacheFolder } from "../storage/cache.ts";
import type { Storage, StorageCall } from "../storage/storage.ts";
import type { Dataset } from "./dataset.ts";
import { digitsVersion, openDigits } from "./digits.ts";
import { fileVersion, openFile } from "./files.ts";
import { namedVersion, openNamed } from "./named.ts";
import { type DatasetName, parseReference } from "./reference.ts";
import { splitTenth } from "./subset.ts";

export { relatedTest } from "./reference.ts";

/** Where datasets come from. */
export interface DatasetSources {
  /** Folders searched for the files of named datasets, in order. */
  readonly data: readonly string[];
  readonly storage: Storage;
  /** Where what was downloaded, and features taken of it, are kept; none: nowhere. */
  readonly cache?: CacheFolder | undefined;
}

/**
 * Returns the dataset of a reference: a name (`digits`, `mnist`, `cifar10`, …; alone or with `:train`, `:test`,
 * `:validation`), or a path or URL of a file of images (safetensors, NPZ, IDX) or of a folder of images.
 * @throws CollapsarError `unknown-dataset`, `missing-dataset`, `malformed-dataset`, `invalid-label`, and as `download`.
 */
export async function openDataset(
  reference: string,
  { data, storage, cache }: DatasetSources,
  { signal }: StorageCall = {},
): Promise<Dataset> {
  const parsed = parseReference(reference);
  if (parsed.kind === "file") return openFile(parsed, storage, { signal, cache });
  const { name, dataset, part } = parsed;
  if (part === "validation") return splitTenth(await openPart(dataset, dataset, "train", data)).validation;
  return openPart(name, dataset, part, data);
}

/**
 * Returns a string that changes when the content of the dataset does, without reading that: of files the version the
 * storage or the file system gives, of `digits` that of its package.
 * @throws CollapsarError as `openDataset`, as far as it shows without reading the content.
 */
export async function datasetVersion(reference: string, { data, storage }: DatasetSources): Promise<string> {
  const parsed = parseReference(reference);
  if (parsed.kind === "file") return fileVersion(parsed, storage);
  const { name, dataset, part } = parsed;
  const files = part === "test" ? "test" : "train";
  const version = dataset === "digits" ? digitsVersion() : await namedVersion(dataset, files, data);
  return `${name} ${version}`;
}

function openPart(
  name: string,
  dataset: DatasetName,
  part: "train" | "test",
  folders: readonly string[],
): Promise<Dataset> {
  return dataset === "digits" ? openDigits(name, part) : openNamed(name, dataset, part, folders);
}
