import { uniformInt } from "pure-rand/distribution/uniformInt";
import { generatorOf } from "./random.ts";

/**
 * Returns the order in which an epoch takes `length` images: a permutation of 0 … length−1 that depends on nothing but
 * these numbers, so that a resumed run needs no state of a generator. Fisher and Yates's shuffle.
 */
export function shuffledOrder(length: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  const generator = generatorOf("shuffle", seed, epoch);
  for (let i = length - 1; i > 0; i--) {
    const j = uniformInt(generator, 0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
