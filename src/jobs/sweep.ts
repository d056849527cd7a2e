import { setTimeout as sleep } from "node:timers/promises";
import type { Queries } from "../database/database.ts";
import { neverSubmitted } from "../database/known.ts";
import { asCollapsarError } from "../errors.ts";
import { log, logFailure } from "../logging.ts";
import type { ObjectHead, Storage } from "../storage/storage.ts";
import type { FoundRules } from "./found.ts";
import type { Submitter } from "./submit.ts";

/** What a sweep works with. */
export interface SweepContext {
  readonly database: Queries;
  readonly storage: Pick<Storage, "list">;
  readonly submit: Submitter;
}

/**
 * Submits every new checkpoint below `folders` (URLs), each version of it once whoever else sweeps, and looks again every
 * `seconds` until `signal` is aborted. What could not be submitted is tried again by the next sweep.
 */
export async function sweep(
  context: SweepContext,
  folders: readonly string[],
  seconds: number,
  found: FoundRules,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const folder of folders)
      await sweepFolder(context, folder, found, signal).catch((error) => {
        if (!signal.aborted) logFailure(error);
      });
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
  }
}

async function sweepFolder(
  { database, storage, submit }: SweepContext,
  folder: string,
  { request, isCheckpoint }: FoundRules,
  signal: AbortSignal,
): Promise<void> {
  const checkpoints: ObjectHead[] = [];
  for await (const object of storage.list(folder, { signal })) if (isCheckpoint(object.url)) checkpoints.push(object);
  const fresh = await neverSubmitted(database, checkpoints);
  const refusals: string[] = [];
  for (const { url } of fresh) {
    if (signal.aborted) return;
    await submit({ checkpoint: url, ...request }).catch((error) => refusals.push(asCollapsarError(error).message));
  }
  const [refusal] = refusals;
  if (fresh.length > refusals.length) log.info({ folder, submitted: fresh.length - refusals.length }, "found");
  if (refusal !== undefined) log.warn({ folder, refused: refusals.length, refusal }, "found, but refused");
}
