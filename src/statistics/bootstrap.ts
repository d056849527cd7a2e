import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** As many as scipy's bootstrap takes: the level of an end is then known to 0.0016. */
const RESAMPLES = 9999;
/** Arbitrary, but always the same: the same values give the same interval, to the last bit. */
const SEED = 2_209_083_781;
/** Statistics that share the draws; each keeps what it found, 80 kB. */
const AT_A_TIME = 32;

/** A number of a resample, given as how often each place was drawn; null where it is not defined. */
export type Statistic = (counts: Uint32Array) => number | null;

/**
 * Returns the 95 % percentile bootstrap interval of each statistic: its 2.5 % and 97.5 % quantiles (linear between order
 * statistics) over resamples of n places with replacement. Where a statistic is null the next resample is taken; that must
 * not be all of them. The draws are the same for all, whatever the others are, for drawing takes longer than what is
 * computed of it.
 */
export function bootstrapIntervals(n: number, statistics: readonly Statistic[]): [low: number, high: number][] {
  if (statistics.length <= AT_A_TIME) return intervals(n, statistics);
  return [statistics.slice(0, AT_A_TIME), statistics.slice(AT_A_TIME)].flatMap((some) => bootstrapIntervals(n, some));
}

function intervals(n: number, statistics: readonly Statistic[]): [low: number, high: number][] {
  const generator = xoroshiro128plus(SEED);
  const counts = new Uint32Array(n);
  const found = statistics.map(() => new Float64Array(RESAMPLES));
  const sizes = statistics.map(() => 0);
  for (let unfinished = statistics.length; unfinished > 0; ) {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[uniformInt(generator, 0, n - 1)]! += 1;
    for (let s = 0; s < statistics.length; s++) {
      if (sizes[s] === RESAMPLES) continue;
      const value = statistics[s]!(counts);
      if (value === null) continue;
      found[s]![sizes[s]!++] = value;
      if (sizes[s] === RESAMPLES) unfinished--;
    }
  }
  return found.map((values) => {
    values.sort();
    return [quantile(values, 0.025), quantile(values, 0.975)];
  });
}

function quantile(ascending: Float64Array, level: number): number {
  const at = level * (ascending.length - 1);
  const [below, above] = [ascending[Math.floor(at)]!, ascending[Math.ceil(at)]!];
  return below + (above - below) * (at % 1);
}
