import type { Placed, SafetensorsLayout } from "../checkpoints/safetensors.ts";
import { decodeTensor, readSafetensorsLayout } from "../checkpoints/safetensors.ts";
import { CollapsarError } from "../errors.ts";
import { type DownloadOptions, download } from "../storage/download.ts";
import type { Storage } from "../storage/storage.ts";
import { redactUrl } from "../storage/url.ts";
import type { Dataset } from "./dataset.ts";
import { describeImages, labelsOf, requireFinite, requireLabels } from "./imageTensors.ts";
import { startDigest } from "./inMemory.ts";
import { malformed } from "./malformed.ts";

/** A smaller file is read once and kept; of a larger one only the batches at work are in memory. CIFAR-10 has 150 MiB. */
const KEPT_BYTES = 256 * 2 ** 20;

/** What the digest of a file that is not kept is taken of at a time. */
const DIGEST_BYTES = 8 * 2 ** 20;

type Read = (start: number, end: number) => Promise<Uint8Array>;

/**
 * Returns the dataset of a safetensors file: `images`, N×H×W×C uint8 pixels or N×C×H×W floats taken as already
 * normalised, and `labels`, N integers from 0, which may be absent.
 * @throws CollapsarError `malformed-dataset` that names the file, the tensor and what was expected; `invalid-label`; and as
 *   `Storage.read`. Images that are not finite are found when they are read.
 */
export async function openTensorFile(
  name: string,
  url: string,
  storage: Storage,
  { signal, cache, keptBytes = KEPT_BYTES }: DownloadOptions & { keptBytes?: number } = {},
): Promise<Dataset> {
  const source = redactUrl(url);
  const { read, size } = await openBytes(url, storage, keptBytes, { signal, cache });
  const { tensors } = await readLayout(read, size, source);
  const images = tensors.get("images");
  if (!images) throw malformed(source, 'there is no tensor "images"');
  const { kind, ...shape } = describeImages(images, source);
  const labels = tensors.has("labels") ? await readLabels(read, tensors.get("labels")!, shape.length, source) : null;
  const hash = startDigest(kind, shape, labels);
  for (let at = images.begin; at < images.end; at += DIGEST_BYTES)
    hash.update(await read(at, Math.min(at + DIGEST_BYTES, images.end)));
  if (labels) hash.update(labels);
  const bytesPerImage = (images.end - images.begin) / shape.length;
  return {
    name,
    digest: hash.digest("hex"),
    ...shape,
    kind,
    labels,
    async read(start, end) {
      const bytes = await read(images.begin + start * bytesPerImage, images.begin + end * bytesPerImage);
      return kind === "pixels" ? bytes : requireFinite(floatsOf(bytes), start, end, source);
    },
  };
}

async function openBytes(
  url: string,
  storage: Storage,
  keptBytes: number,
  call: DownloadOptions,
): Promise<{ read: Read; size: number }> {
  const head = await storage.head(url, call);
  if (head.size > keptBytes)
    return { size: head.size, read: (start, end) => storage.readRange(head, { start, end }, call) };
  const { bytes } = await download(storage, url, call);
  return { size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
}

async function readLayout(read: Read, size: number, source: string): Promise<SafetensorsLayout> {
  try {
    return await readSafetensorsLayout(read, size);
  } catch (error) {
    const isMalformed = error instanceof CollapsarError && error.code === "malformed-checkpoint";
    throw isMalformed ? malformed(source, error.message, error) : error;
  }
}

async function readLabels(read: Read, placed: Placed, length: number, source: string): Promise<Int32Array> {
  requireLabels(placed, length, source);
  return labelsOf(decodeTensor(placed.dtype, await read(placed.begin, placed.end)), source);
}

/** A view where the bytes lie as float32 must, else a copy. */
function floatsOf(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}
