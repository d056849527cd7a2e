import { createHash } from "node:crypto";
import { CollapsarError } from "../errors.ts";
import { type DownloadOptions, download } from "../storage/download.ts";
import type { Storage } from "../storage/storage.ts";
import { redactUrl } from "../storage/url.ts";
import type { Dataset } from "./dataset.ts";
import { decodeIdxPair } from "./idx.ts";
import { listImages, openImageFolder } from "./imageFolder.ts";
import { inMemory } from "./inMemory.ts";
import { type SourceFile, unpack } from "./localFiles.ts";
import { decodeNpz } from "./npz.ts";
import type { Reference } from "./reference.ts";
import { openTensorFile } from "./tensorFile.ts";

/** An archive is unpacked in memory, and so are its images: a larger set is a safetensors file, which is read by ranges. */
const MAX_ARCHIVE_BYTES = 2 ** 30;

type FileReference = Extract<Reference, { kind: "file" }>;

/**
 * Returns the dataset of a file or folder of images.
 * @throws CollapsarError `malformed-dataset`, `invalid-label`, and as `download`.
 */
export async function openFile(
  { name, url, format }: FileReference,
  storage: Storage,
  call: DownloadOptions = {},
): Promise<Dataset> {
  switch (format) {
    case "tensors":
      return hintAtFolder(url, openTensorFile(name, url, storage, call));
    case "folder":
      return openImageFolder(name, url, storage, call);
    case "npz": {
      const { bytes, source } = await fetchUnpacked(url, storage, call);
      return inMemory(name, decodeNpz(bytes, source));
    }
    case "idx": {
      const pair = [url, labelsUrl(url)].map((of) => fetchUnpacked(of, storage, call));
      return inMemory(name, decodeIdxPair(await Promise.all(pair)));
    }
  }
}

/** Returns a string that changes when the content does. @throws CollapsarError as `Storage.head`. */
export async function fileVersion({ url, format }: FileReference, storage: Storage): Promise<string> {
  if (format === "folder") {
    const hash = createHash("sha256");
    for (const image of await listImages(url, storage)) hash.update(`${image.url} ${image.size} ${image.etag}\n`);
    return `${url} ${hash.digest("hex")}`;
  }
  const files = format === "idx" ? [url, labelsUrl(url)] : [url];
  const heads = await hintAtFolder(url, Promise.all(files.map((file) => storage.head(file))));
  return heads.map((head) => `${head.url} ${head.size} ${head.etag}`).join(" ");
}

/** What is not there and has no extension may be a folder whose slash was left out. */
function hintAtFolder<T>(url: string, work: Promise<T>): Promise<T> {
  return work.catch((error) => {
    if (!(error instanceof CollapsarError) || error.code !== "object-not-found" || /\.[^/]*$/.test(url)) throw error;
    const message = `${error.message} (a folder of images is written with a slash at its end)`;
    throw new CollapsarError(error.code, message, { cause: error });
  });
}

/** `…-images-idx3-ubyte` has its labels beside it, in `…-labels-idx1-ubyte`. */
function labelsUrl(url: string): string {
  return url.replace(/images([-.])idx3-ubyte(\.gz)?$/, "labels$1idx1-ubyte$2");
}

async function fetchUnpacked(url: string, storage: Storage, call: DownloadOptions): Promise<SourceFile> {
  const { bytes } = await download(storage, url, { ...call, maxBytes: MAX_ARCHIVE_BYTES });
  const source = redactUrl(url);
  return { bytes: url.endsWith(".gz") ? await unpack(bytes, source) : bytes, source };
}
