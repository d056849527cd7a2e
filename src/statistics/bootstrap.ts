import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** As many as scipy's bootstrap takes: the level of an end is then known to 0.0016. */
const RESAMPLES = 9999;
/** Arbitrary, but always the same: the same values give the same interval, to the last bit. */
const SEED = 2_209_083_781;

/**
 * Returns the 95 % percentile bootstrap interval of `statistic`: its 2.5 % and 97.5 % quantiles (linear between order
 * statistics) over resamples of n places with replacement, each given as how often it drew each place. A resample of
 * which `statistic` is null is drawn again; that must not be all of them.
 */
export function bootstrapInterval(
  n: number,
  statistic: (counts: Uint32Array) => number | null,
): [low: number, high: number] {
  const generator = xoroshiro128plus(SEED);
  const counts = new Uint32Array(n);
  const found = new Float64Array(RESAMPLES);
  for (let k = 0; k < RESAMPLES; ) {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[uniformInt(generator, 0, n - 1)]! += 1;
    const value = statistic(counts);
    if (value !== null) found[k++] = value;
  }
  found.sort();
  return [quantile(found, 0.025), quantile(found, 0.975)];
}

function quantile(ascending: Float64Array, level: number): number {
  const at = level * (ascending.length - 1);
  const [below, above] = [ascending[Math.floor(at)]!, ascending[Math.ceil(at)]!];
  return below + (above - below) * (at % 1);
}
