import { createHash } from "node:crypto";
import { readCheckpoint } from "../../checkpoints/read.ts";
import { looksLikeSafetensors, withMetadata } from "../../checkpoints/safetensors.ts";
import { type Config, readConfig, toStoreUrl, toUrl } from "../../config.ts";
import { CollapsarError } from "../../errors.ts";
import { type Place, placeOf } from "../../evaluation/place.ts";
import { type EvaluationRequest, parseRequest } from "../../evaluation/request.ts";
import { download } from "../../storage/download.ts";
import { openStorage } from "../../storage/open.ts";
import type { Storage } from "../../storage/storage.ts";
import { connectToHolder, serviceAt, submit } from "../connection.ts";
import { print } from "../output.ts";
import { progressLine } from "../progressLine.ts";
import type { PushOptions } from "../push.ts";
import { evaluateHere } from "./evaluate.ts";

/**
 * Stores a checkpoint under the name that training would give it, and prints its URL. A safetensors file gets its place and
 * what is said of its network written into its metadata, its tensors untouched; other formats are stored as they are, and
 * only an evaluation that is asked for now is told of the network.
 * @throws CollapsarError `invalid-metadata`, `missing-metadata` where nothing names the run, `conflict` where another checkpoint has the name,
 *   `malformed-checkpoint`.
 */
export async function push(file: string, { json, quiet, ...options }: PushOptions): Promise<void> {
  const config = readConfig();
  const storage = openStorage({ fileRoots: null });
  const line = progressLine({ json, quiet });
  const { bytes } = await download(storage, toUrl(file), {
    onProgress: (done, total) => line.update("read", done, total, "bytes"),
  }).finally(line.end);
  const { place, content, network } = placed(file, bytes, options);
  const store = options.to === undefined ? config.store : toStoreUrl(options.to);
  const url = [store, ...nameOf(place, file)].join("/");
  const written = await writeOnce(storage, url, content, options.force ?? false);
  const evaluation =
    options.evaluate === undefined ? null : await evaluate(config, url, place, { ...options, network });
  const evaluated = evaluation ? `, evaluation ${evaluation.id} is ${evaluation.status}` : "";
  print(
    { url, written, bytes: content.length, run: place, evaluation },
    { json, quiet },
    () => `${url}${written ? "" : " (was there already)"}${evaluated}`,
    () => url,
  );
}

/** Returns where the checkpoint belongs by options and metadata, its bytes with that written into them, and what they cannot say. */
function placed(file: string, bytes: Uint8Array, options: Omit<PushOptions, "json" | "quiet">) {
  const { metadata } = readCheckpoint(bytes); // what is no checkpoint is not stored
  const { run, experiment, group, seed, epoch, dataset, network } = options;
  const asked = parseRequest({ checkpoint: toUrl(file), run: { id: run, experiment, group, seed, epoch }, network });
  if (asked.run?.id === undefined && metadata.run === undefined)
    throw new CollapsarError("missing-metadata", `nothing in "${file}" names its run: expected --run`);
  const place = placeOf(asked, metadata, "");
  const stated = { ...place, labels: null, dataset: dataset ?? null, ...network };
  const written = Object.entries(stated).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]]));
  if (!looksLikeSafetensors(bytes)) return { place, content: bytes, network };
  return { place, content: withMetadata(bytes, Object.fromEntries(written)), network: {} };
}

/** `EXPERIMENT/RUN/epoch-0004.safetensors`, as `train` names them; what is not known is left out, without an epoch the file's own name. */
function nameOf({ experiment, run, epoch }: Place, file: string): string[] {
  const own = file.split(/[/\\]/).at(-1)!;
  const ending = /\.[^.]+$/.exec(own)?.[0] ?? "";
  const name = epoch === null ? encodeURIComponent(own) : `epoch-${String(epoch).padStart(4, "0")}${ending}`;
  return [...(experiment === null ? [] : [experiment]), run, name];
}

/** Returns false where the same bytes are there already. */
async function writeOnce(storage: Storage, url: string, content: Uint8Array, force: boolean): Promise<boolean> {
  const there = await download(storage, url).catch((error) => {
    if (error instanceof CollapsarError && error.code === "object-not-found") return null;
    throw error;
  });
  if (there?.sha256 === createHash("sha256").update(content).digest("hex")) return false;
  if (there && !force)
    throw new CollapsarError(
      "conflict",
      `"${url}" is there with other bytes: expected --force, or another run or epoch`,
    );
  await storage.write(url, content);
  return true;
}

/** Submits it to the service, or evaluates it here where there is none. */
async function evaluate(config: Config, url: string, place: Place, { evaluate, ood, dataset, network }: PushOptions) {
  const { run: id, labels: _, ...rest } = place;
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  const request: EvaluationRequest = parseRequest({ checkpoint: url, dataset, ood, run: { id, ...known }, network });
  const service =
    typeof evaluate === "string" ? serviceAt(evaluate.replace(/\/+$/, ""), config.token) : connectToHolder(config);
  return service ? submit(service, request) : evaluateHere(config, request, () => {});
}
