import { createHash } from "node:crypto";
import { type Download, type DownloadOptions, download, MAX_CHECKPOINT_BYTES } from "../storage/download.ts";
import type { ObjectHead, Storage } from "../storage/storage.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { readCheckpoint } from "./read.ts";
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
  return { head, sha256, checkpoint: readCheckpoint(bytes) };
}

async function withShards(
  storage: Storage,
  { head, bytes, sha256 }: Download,
  { signal, maxBytes = MAX_CHECKPOINT_BYTES }: DownloadOptions,
): Promise<FetchedCheckpoint> {
  const model = openLayersModel(bytes);
  const digest = createHash("sha256").update(sha256);
  const shards: Uint8Array[] = [];
  let size = head.size;
  for (const path of model.paths) {
    const url = new URL(path.split("/").map(encodeURIComponent).join("/"), head.url).href;
    const shard = await download(storage, url, { signal, maxBytes: maxBytes - size });
    size += shard.bytes.length;
    digest.update(shard.sha256);
    shards.push(shard.bytes);
  }
  return { head: { ...head, size }, sha256: digest.digest("hex"), checkpoint: model.read(shards) };
}
