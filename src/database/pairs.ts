import type { SeedValue } from "./parts.ts";

/** A run whose value has no counterpart in the other group. */
export interface UnpairedRun {
  readonly side: "a" | "b";
  readonly run: string;
  readonly seed: number | null;
  readonly reason: string;
}

/** The values of two groups, paired by their seeds. */
export interface Pairs {
  /** Ascending. */
  readonly sharedSeeds: readonly number[];
  /** Values of the shared seeds, in their order. */
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly unpaired: readonly UnpairedRun[];
}

/** Returns the pairs of values of the same seed; of a seed that several runs of a group have, no two are a pair. */
export function pairBySeed(a: readonly SeedValue[], b: readonly SeedValue[]): Pairs {
  const [ofA, ofB]: [Seeds, Seeds] = [Map.groupBy(a, seedOf), Map.groupBy(b, seedOf)];
  const isShared = (seed: number | null): seed is number =>
    seed !== null && ofA.get(seed)?.length === 1 && ofB.get(seed)?.length === 1;
  const sharedSeeds = [...ofA.keys()].filter(isShared).sort((left, right) => left - right);
  const unpaired = (side: "a" | "b", values: readonly SeedValue[], others: Seeds) =>
    values
      .filter(({ seed }) => !isShared(seed))
      .map(({ run, seed }) => ({ side, run, seed, reason: reasonOf(seed, others) }));
  return {
    sharedSeeds,
    a: sharedSeeds.map((seed) => ofA.get(seed)![0]!.value),
    b: sharedSeeds.map((seed) => ofB.get(seed)![0]!.value),
    unpaired: [...unpaired("a", a, ofB), ...unpaired("b", b, ofA)],
  };
}

const seedOf = ({ seed }: SeedValue) => seed;

type Seeds = ReadonlyMap<number | null, readonly SeedValue[]>;

function reasonOf(seed: number | null, others: Seeds): string {
  if (seed === null) return "it has no seed";
  return others.has(seed) ? "several runs of a group have this seed" : "the other group has no value of this seed";
}
