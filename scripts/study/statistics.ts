import { type Correlation, pearson, spearman } from "../../src/statistics/correlation.ts";
import { hedgesG } from "../../src/statistics/effectSize.ts";
import { holm } from "../../src/statistics/holm.ts";
import { type Summary, summary } from "../../src/statistics/summary.ts";
import { pairedTest } from "../../src/statistics/tTest.ts";
import { wilcoxonTest } from "../../src/statistics/wilcoxon.ts";
import type { StudyRecord } from "./records.ts";

/** One metric over the seeds of a group after an epoch, in order of seed. */
export interface SeedValues {
  readonly seeds: readonly number[];
  readonly values: readonly number[];
}

/** The records, asked by group, epoch and metric. */
export interface StudyValues {
  /** Ascending. */
  readonly epochs: readonly number[];
  at(group: string, epoch: number, metric: string): SeedValues;
}

/** A test of the differences a − b over the seeds that two groups share. */
export interface PairedComparison {
  readonly epoch: number;
  readonly metric: string;
  readonly a: string;
  readonly b: string;
  readonly pairs: number;
  readonly difference: number | null;
  readonly ci95: readonly [low: number, high: number] | null;
  /** Of the paired t test and of Wilcoxon's, two-sided, each after Holm's correction over the whole family. */
  readonly p: number | null;
  readonly pWilcoxon: number | null;
  /** Hedges' g. */
  readonly g: number | null;
}

/** Returns the records by group, epoch and metric; `epochs` are those that a run of `groups` has. */
export function studyValues(records: readonly StudyRecord[], groups: readonly string[]): StudyValues {
  const cells = Map.groupBy(records, ({ group, epoch, metric }) => keyOf(group, epoch, metric));
  const epochs = new Set(records.filter(({ group }) => groups.includes(group)).map(({ epoch }) => epoch));
  return {
    epochs: [...epochs].sort((a, b) => a - b),
    at(group, epoch, metric) {
      const members = (cells.get(keyOf(group, epoch, metric)) ?? []).toSorted((a, b) => a.seed - b.seed);
      return { seeds: members.map(({ seed }) => seed), values: members.map(({ value }) => value) };
    },
  };
}

/** Returns the summary of a metric over the seeds of a group. */
export function summaryAt(study: StudyValues, group: string, epoch: number, metric: string): Summary {
  return summary(study.at(group, epoch, metric).values);
}

/** Returns the comparisons of each pair of groups in each metric after each epoch: one family for Holm's correction. */
export function comparePairs(
  study: StudyValues,
  epochs: readonly number[],
  pairs: readonly (readonly [a: string, b: string])[],
  metrics: readonly string[],
): PairedComparison[] {
  const tested = epochs.flatMap((epoch) =>
    metrics.flatMap((metric) =>
      pairs.map(([a, b]) => {
        const [x, y] = shared(study.at(a, epoch, metric), study.at(b, epoch, metric));
        const { difference, ci95, p } = pairedTest(x, y);
        const { g } = hedgesG(x, y);
        return { epoch, metric, a, b, pairs: x.length, difference, ci95, p, pWilcoxon: wilcoxonTest(x, y).p, g };
      }),
    ),
  );
  const [p, pWilcoxon] = [holm(tested.map(({ p }) => p)), holm(tested.map(({ pWilcoxon }) => pWilcoxon))];
  return tested.map((test, i) => ({ ...test, p: p[i]!, pWilcoxon: pWilcoxon[i]! }));
}

/** How two metrics go together over runs. */
export interface StudyCorrelation {
  readonly n: number;
  readonly pearson: Correlation;
  readonly spearman: Correlation;
}

/** Returns the correlation of two metrics after `epoch` over all runs of `groups`. */
export function correlate(
  study: StudyValues,
  groups: readonly string[],
  epoch: number,
  [x, y]: readonly [x: string, y: string],
): StudyCorrelation {
  const points = groups.map((group) => shared(study.at(group, epoch, x), study.at(group, epoch, y)));
  const [xs, ys] = [points.flatMap(([of]) => of), points.flatMap(([, of]) => of)];
  return { n: xs.length, pearson: pearson(xs, ys), spearman: spearman(xs, ys) };
}

/** Returns the values of two sides over the seeds that both have, in order of seed. */
function shared(a: SeedValues, b: SeedValues): [number[], number[]] {
  const other = new Map(b.seeds.map((seed, i) => [seed, b.values[i]!]));
  const both = a.seeds.flatMap((seed, i) => (other.has(seed) ? [[a.values[i]!, other.get(seed)!] as const] : []));
  return [both.map(([value]) => value), both.map(([, value]) => value)];
}

const keyOf = (group: string, epoch: number, metric: string) => `${epoch} ${group} ${metric}`;
