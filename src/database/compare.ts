import { CollapsarError } from "../errors.ts";
import { type EffectSize, hedgesG } from "../statistics/effectSize.ts";
import { holm } from "../statistics/holm.ts";
import { type Summary, summary } from "../statistics/summary.ts";
import { pairedTest, type TTest, welchTest } from "../statistics/tTest.ts";
import { type SignedRankTest, wilcoxonTest } from "../statistics/wilcoxon.ts";
import { epochsOf } from "./aggregate.ts";
import type { Queries } from "./database.ts";
import { inOrder } from "./order.ts";
import { pairBySeed, type UnpairedRun } from "./pairs.ts";
import { type MissingRun, type Part, type SeedValue, selectParts, valuesOf } from "./parts.ts";
import type { OneEpoch, Selection } from "./selection.ts";

/** Two groups, and what to compare of them. */
export interface ComparisonRequest extends Omit<Selection, "groups" | "epoch"> {
  readonly a: string;
  readonly b: string;
  readonly epoch: OneEpoch;
}

/** One metric over the seeds of one of the groups. */
export interface Side extends Summary {
  readonly epochs: readonly (number | null)[];
  /** Runs of the group that were evaluated on the dataset, but have no such value. */
  readonly missing: readonly MissingRun[];
}

/** `p` after Holm's correction over all rows of the answer. */
type Corrected<Test> = Test & { readonly pHolm: number | null };

/** One metric of the two groups on one dataset with one protocol. */
export interface ComparisonRow {
  readonly metric: string;
  readonly dataset: string;
  readonly protocol: string;
  readonly a: Side;
  readonly b: Side;
  /** Whether the values are of different epochs, and so may not be comparable. */
  readonly epochsDiffer: boolean;
  /** Ascending. */
  readonly sharedSeeds: readonly number[];
  readonly unpaired: readonly UnpairedRun[];
  readonly welch: Corrected<TTest>;
  /** Over the shared seeds. */
  readonly paired: Corrected<TTest>;
  /** Over the shared seeds. */
  readonly wilcoxon: Corrected<SignedRankTest>;
  readonly hedges: EffectSize;
}

/**
 * Returns the comparison of the groups `a` and `b`, one row for each metric, dataset and protocol that either has, in
 * this order. Differences are a − b.
 * @throws CollapsarError `not-found` where a group has no evaluated run.
 */
export async function compare(queries: Queries, { a, b, ...request }: ComparisonRequest): Promise<ComparisonRow[]> {
  const parts = await selectParts(queries, { ...request, groups: [a, b] });
  for (const group of [a, b]) requireGroup(parts, group, request.by);
  const places = Map.groupBy(parts, ({ dataset, protocol }) => JSON.stringify([dataset, protocol]));
  const rows = [...places.values()].flatMap((members) => {
    const [partA, partB] = [a, b].map((group) => members.find((part) => part.group === group));
    return members[0]!.metrics.map((metric) => compareMetric(members[0]!, metric, partA, partB));
  });
  return corrected(inOrder(rows, ({ metric, dataset, protocol }) => [metric, dataset, protocol]));
}

function requireGroup(parts: readonly Part[], group: string, by: string): void {
  if (parts.some((part) => part.group === group)) return;
  throw new CollapsarError("not-found", `no evaluated run of this selection has ${by} "${group}"`);
}

type Uncorrected = Omit<ComparisonRow, "welch" | "paired" | "wilcoxon"> & {
  readonly welch: TTest;
  readonly paired: TTest;
  readonly wilcoxon: SignedRankTest;
};

function compareMetric(
  { dataset, protocol }: Part,
  metric: string,
  partA: Part | undefined,
  partB: Part | undefined,
): Uncorrected {
  const [valuesA, valuesB] = [valuesIn(partA, metric), valuesIn(partB, metric)];
  const [a, b] = [valuesA.map(({ value }) => value), valuesB.map(({ value }) => value)];
  const { sharedSeeds, unpaired, ...pairs } = pairBySeed(valuesA, valuesB);
  return {
    ...{ metric, dataset, protocol },
    a: toSide(valuesA, partA?.missing(metric)),
    b: toSide(valuesB, partB?.missing(metric)),
    epochsDiffer: epochsOf([...valuesA, ...valuesB]).length > 1,
    ...{ sharedSeeds, unpaired },
    welch: welchTest(a, b),
    paired: pairedTest(pairs.a, pairs.b),
    wilcoxon: wilcoxonTest(pairs.a, pairs.b),
    hedges: hedgesG(a, b),
  };
}

const valuesIn = (part: Part | undefined, metric: string) => (part ? valuesOf(part, metric) : []);

function toSide(values: readonly SeedValue[], missing: readonly MissingRun[] = []): Side {
  return { ...summary(values.map(({ value }) => value)), epochs: epochsOf(values), missing };
}

function corrected(rows: readonly Uncorrected[]): ComparisonRow[] {
  const [welch, paired, wilcoxon] = (["welch", "paired", "wilcoxon"] as const).map((test) =>
    holm(rows.map((row) => row[test].p)),
  );
  return rows.map((row, i) => ({
    ...row,
    welch: { ...row.welch, pHolm: welch![i]! },
    paired: { ...row.paired, pHolm: paired![i]! },
    wilcoxon: { ...row.wilcoxon, pHolm: wilcoxon![i]! },
  }));
}
