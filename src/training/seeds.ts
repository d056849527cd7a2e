import { CollapsarError } from "../errors.ts";

/** More seeds than this in one batch are a slip of the finger. */
const MOST_SEEDS = 10_000;

/**
 * Returns the seeds that a list of numbers and ranges names, in its order and each once: `1-3,7` is 1, 2, 3, 7.
 * @throws CollapsarError `invalid-request` that quotes the part it does not understand.
 */
export function parseSeeds(text: string): number[] {
  const seeds = text.split(",").flatMap(parseRange);
  return [...new Set(seeds)];
}

function parseRange(part: string): number[] {
  const [, first, last = first] = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part) ?? [];
  const length = Number(last) - Number(first) + 1;
  if (!(length >= 1 && length <= MOST_SEEDS))
    throw new CollapsarError("invalid-request", `seeds: expected numbers and ranges such as 1-3,7, got "${part}"`);
  return Array.from({ length }, (_, i) => Number(first) + i);
}
