import { download } from "../storage/download.ts";
import type { ObjectHead, Storage, StorageCall } from "../storage/storage.ts";
import { redactUrl } from "../storage/url.ts";
import type { Dataset } from "./dataset.ts";
import { inMemory, startDigest } from "./inMemory.ts";
import { malformed } from "./malformed.ts";

const IMAGE = /\.(png|jpe?g|webp|gif|tiff?|avif)$/i;

/** A smaller set is decoded once and kept; of a larger one only the batches at work are in memory. */
const KEPT_BYTES = 256 * 2 ** 20;

/** Images decoded at a time, by libvips' own threads. */
const AT_A_TIME = 64;

/** No image of a dataset is larger; a file may promise more than memory has. */
const MAX_PIXELS = 2 ** 26;

/** Height, width and channels (1 or 3) of an image. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Returns the dataset of a folder of images of one size: each in the folder of its class, whose label is the place of its
 * name in sorted order, as `torchvision.datasets.ImageFolder` has it; images in the folder itself have no labels. The first
 * image says whether all are read as grey or in colour.
 * @throws CollapsarError `malformed-dataset` that names the image and what was expected; and as `Storage.list`.
 */
export async function openImageFolder(
  name: string,
  url: string,
  storage: Storage,
  { signal, keptBytes = KEPT_BYTES }: StorageCall & { keptBytes?: number } = {},
): Promise<Dataset> {
  const files = await listImages(url, storage, { signal });
  if (files.length === 0)
    throw malformed(redactUrl(url), "the folder holds no image (png, jpeg, webp, gif, tiff, avif)");
  const labels = labelsOf(files, url);
  const shape = await shapeOf(await fetchBytes(files[0]!, storage, { signal }), redactUrl(files[0]!.url));
  const size = shape.height * shape.width * shape.channels;
  const read = async (start: number, end: number) => {
    const images = new Uint8Array((end - start) * size);
    for (let from = start; from < end; from += AT_A_TIME) {
      const batch = files.slice(from, Math.min(from + AT_A_TIME, end));
      const decoded = batch.map(async (file, i) => {
        const image = await decodeImage(await fetchBytes(file, storage, { signal }), shape, redactUrl(file.url));
        images.set(image, (from - start + i) * size);
      });
      await Promise.all(decoded);
    }
    return images;
  };
  const length = files.length;
  if (length * size <= keptBytes) return inMemory(name, { images: await read(0, length), labels, length, ...shape });
  const hash = startDigest("pixels", { length, ...shape }, labels);
  for (let from = 0; from < length; from += AT_A_TIME)
    hash.update(await read(from, Math.min(from + AT_A_TIME, length)));
  if (labels) hash.update(labels);
  return { name, digest: hash.digest("hex"), length, ...shape, kind: "pixels", labels, read };
}

/** Returns the images below the URL of a folder, in ascending order of their URLs. @throws CollapsarError as `Storage.list`. */
export async function listImages(url: string, storage: Storage, call: StorageCall = {}): Promise<ObjectHead[]> {
  const images: ObjectHead[] = [];
  for await (const head of storage.list(url.replace(/\/+$/, ""), call)) if (IMAGE.test(head.url)) images.push(head);
  return images;
}

/**
 * Returns the shape of an image file.
 * @throws CollapsarError `malformed-dataset` where it is none.
 */
export async function shapeOf(bytes: Uint8Array, source: string): Promise<ImageShape> {
  if (bytes.length === 0) throw malformed(source, "not an image: it is empty");
  const sharp = await loadSharp();
  const { height, width, channels } = await sharp(bytes, { limitInputPixels: MAX_PIXELS })
    .metadata()
    .catch((cause) => Promise.reject(malformed(source, "not an image", cause)));
  return { height, width, channels: channels < 3 ? 1 : 3 };
}

/**
 * Returns the pixels (H×W×C) of an image file, without its alpha channel.
 * @throws CollapsarError `malformed-dataset` where it is not whole, or of another size.
 */
export async function decodeImage(bytes: Uint8Array, shape: ImageShape, source: string): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const { height, width } = await shapeOf(bytes, source);
  if (height !== shape.height || width !== shape.width)
    throw malformed(
      source,
      `${height}×${width} pixels, expected ${shape.height}×${shape.width} as the first image has`,
    );
  const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS })
    .removeAlpha()
    .toColourspace(shape.channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => Promise.reject(malformed(source, "not a whole image", cause)));
  if (info.channels !== shape.channels)
    throw malformed(source, `${info.channels} channels, expected ${shape.channels} as the first image has`);
  return data;
}

/** Loaded when it is needed: libvips takes 20 MiB. */
async function loadSharp() {
  return (await import("sharp")).default;
}

async function fetchBytes({ url }: ObjectHead, storage: Storage, call: StorageCall): Promise<Uint8Array> {
  return (await download(storage, url, call)).bytes;
}

/** The class is the first folder below that of the dataset. */
function labelsOf(files: readonly ObjectHead[], url: string): Int32Array | null {
  const paths = files.map((file) => decodeURIComponent(file.url.slice(url.length)).split("/"));
  const lone = paths.find((path) => path.length === 1);
  if (lone && paths.every((path) => path.length === 1)) return null;
  if (lone) throw malformed(redactUrl(url), `image ${lone} is in no folder of a class, as others are`);
  const classes = [...new Set(paths.map(([folder]) => folder!))].sort();
  return Int32Array.from(paths, ([folder]) => classes.indexOf(folder!));
}
