import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { generatorOf } from "./random.ts";
import { shuffledOrder } from "./shuffle.ts";

/** `shuffled`: at random. `stratified`: at random, and every batch has its share of every class. */
export const SAMPLINGS = ["shuffled", "stratified"] as const;
export type Sampling = (typeof SAMPLINGS)[number];

/**
 * Returns the order in which an epoch takes the images with these labels: a permutation that depends on nothing but
 * these arguments, so that a resumed run needs no state of a generator.
 */
export function epochOrder(sampling: Sampling, labels: Int32Array, seed: number, epoch: number): Uint32Array {
  const order = shuffledOrder(labels.length, seed, epoch);
  return sampling === "shuffled" ? order : stratify(order, labels, seed, epoch);
}

/**
 * Returns a reordering in which every class comes at an even pace: the j-th of the n images of a class, in their shuffled
 * order, stands at (j + u)/n of the epoch, u uniform in [0, 1) and drawn once for each class (systematic sampling of
 * strata, Cochran, Sampling Techniques, 1977, chapter 8). A stretch of B of N images then has B·n/N images of the class, but
 * for rounding. The NC loss needs it where classes are many: a class with less than two images in a batch adds nothing to
 * the variability within classes, one with none is not in the batch's simplex.
 */
function stratify(order: Uint32Array, labels: Int32Array, seed: number, epoch: number): Uint32Array {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const generator = generatorOf("stratify", seed, epoch);
  const classes = [...counts.keys()].sort((a, b) => a - b);
  const next = new Map(classes.map((label) => [label, uniformFloat64(generator)]));
  const places = new Float64Array(labels.length);
  for (const image of order) {
    const label = labels[image]!;
    places[image] = next.get(label)! / counts.get(label)!;
    next.set(label, next.get(label)! + 1);
  }
  return order.toSorted((a, b) => places[a]! - places[b]!);
}
