import type { Share } from "../../database/schema.ts";
import { fixedBatchSize } from "../batchSize.ts";
import type { OpenedEvaluation } from "../open.ts";
import { partsOf } from "../sets.ts";
import { MAX_SHARDS } from "./limit.ts";

/**
 * Images of an evaluation, over all its sets, that one job takes unless it is told otherwise: on two cores ResNet18 does so
 * many of 32×32 in 45 minutes (186 a second), which is what is lost with a worker.
 */
export const SHARD_IMAGES = 500_000;

/** A set to cut: its images, and how many of them go through the network at once. */
export interface Cuttable {
  readonly part: string;
  readonly length: number;
  readonly batch: number;
}

/** Returns the shards of an evaluation: as many as are asked for, else as its images need; one where it is not cut. */
export function shardsOf({ request, engine, sets }: OpenedEvaluation): Share[][] {
  const parts = partsOf(sets).map(({ part, dataset: { length, height, width } }) => {
    return { part, length, batch: fixedBatchSize(engine.device, height * width).next() };
  });
  return cutShards(parts, request.shards ?? shardsFor(parts.reduce((sum, { length }) => sum + length, 0)));
}

/** Returns how many shards so many images are cut into where nobody asked for a number. */
export function shardsFor(images: number): number {
  return Math.min(Math.ceil(images / SHARD_IMAGES), MAX_SHARDS);
}

/**
 * Returns the images of all `sets`, laid end to end, in at most `count` shards of about the same size. Every cut is where a
 * batch of the uncut set ends: the last bits of features depend on how an engine's batches are made up.
 */
export function cutShards(sets: readonly Cuttable[], count: number): Share[][] {
  const placed: (Cuttable & { begin: number })[] = [];
  let total = 0;
  for (const set of sets) {
    placed.push({ ...set, begin: total });
    total += set.length;
  }
  const cutNear = (position: number) => {
    const { begin, length, batch } = placed.findLast(({ begin }) => begin <= position)!;
    return begin + Math.min(Math.round((position - begin) / batch) * batch, length);
  };
  const cuts = Array.from({ length: count }, (_, i) => cutNear(Math.round((i * total) / count)));
  const shards = cuts.map((from, i) => between(placed, from, cuts[i + 1] ?? total));
  return shards.filter((shares) => shares.length > 0);
}

function between(placed: readonly (Cuttable & { begin: number })[], from: number, to: number): Share[] {
  return placed
    .map(({ part, begin, length }) => ({
      part,
      start: Math.max(from - begin, 0),
      end: Math.min(to - begin, length),
    }))
    .filter(({ start, end }) => start < end);
}
