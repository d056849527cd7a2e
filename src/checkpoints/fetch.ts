import { createHash } from "node:crypto";
import { CollapsarError } from "../errors.ts";
import { type Download, type DownloadOptions, download, MAX_CHECKPOINT_BYTES } from "../storage/download.ts";
import type { ObjectHead, Storage, StorageCall } from "../storage/storage.ts";
import { redactUrl } from "../storage/url.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { looksLikeLayersModel, openLayersModel } from "./tfjs/readLayersModel.ts";

/** A checkpoint with where it comes from, and the sha256 (hex) of its bytes: of all its files, where it has several. */
export interface FetchedCheckpoint {
  readonly head: ObjectHead;
  readonly sha256: string;
  readonly checkpoint: Checkpoint;
}

/**
 * Reads the checkpoint at `url`, of any format we know. A TensorFlow.js `model.json` brings the weights files beside it.
 * @throws CollapsarError `malformed-checkpoint`, and as `download`.
 */
export async function fetchCheckpoint(
  storage: Storage,
  url: string,
  options: DownloadOptions = {},
): Promise<FetchedCheckpoint> {
  const file = await download(storage, url, options);
  if (looksLikeLayersModel(file.bytes)) return withShards(storage, file, options);
  const { head, sha256, bytes } = file;
  const { readCheckpoint } = await import("./read.ts"); // not where checkpoints are only looked at
  return { head, sha256, checkpoint: readCheckpoint(bytes) };
}

/**
 * Returns a mark that changes when the checkpoint does, of a file named `*.json` with that of the weights files it names:
 * these may be replaced where `model.json` stays as it is. @throws CollapsarError as `fetchCheckpoint`.
 */
export async function checkpointVersion(storage: Storage, head: ObjectHead, call: StorageCall = {}): Promise<string> {
  if (!NAMED_JSON.test(head.url)) return head.etag;
  const { bytes } = await download(storage, head.url, { ...call, maxBytes: MAX_JSON_BYTES });
  if (!looksLikeLayersModel(bytes)) return head.etag;
  const shards = openLayersModel(bytes).paths.map((path) => storage.head(besides(head.url, path), call));
  return [head, ...(await Promise.all(shards))].map(({ etag }) => etag).join(" ");
}

const NAMED_JSON = /\.json$/i;

/** As `openLayersModel` has it. */
const MAX_JSON_BYTES = 8 * 2 ** 20;

function besides(url: string, path: string): string {
  return new URL(path.split("/").map(encodeURIComponent).join("/"), url).href;
}

async function withShards(
  storage: Storage,
  { head, bytes, sha256 }: Download,
  { signal, cache, maxBytes = MAX_CHECKPOINT_BYTES }: DownloadOptions,
): Promise<FetchedCheckpoint> {
  if (!NAMED_JSON.test(head.url))
    throw new CollapsarError(
      "malformed-checkpoint",
      `"${redactUrl(head.url)}" holds a TensorFlow.js layers model, expected a name that ends in .json (model.json)`,
    );
  const model = openLayersModel(bytes);
  const digest = createHash("sha256").update(sha256);
  const shards: Uint8Array[] = [];
  let size = head.size;
  for (const path of model.paths) {
    const shard = await download(storage, besides(head.url, path), { signal, cache, maxBytes: maxBytes - size });
    size += shard.bytes.length;
    digest.update(shard.sha256);
    shards.push(shard.bytes);
  }
  return { head: { ...head, size }, sha256: digest.digest("hex"), checkpoint: model.read(shards) };
}
