import { createHash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";

/**
 * Returns the random generator that belongs to `key`, e.g. `("shuffle", seed, epoch)`. The key is hashed into the
 * generator's whole state: seeds 1, 2, 3 used directly would give generators whose first numbers resemble each other.
 */
export function generatorOf(...key: readonly (string | number)[]): JumpableRandomGenerator {
  const hash = createHash("sha256").update(JSON.stringify(key)).digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((at) => hash.readInt32LE(at)));
}
