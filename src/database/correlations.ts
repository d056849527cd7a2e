import { type Coefficients, correlations } from "../statistics/correlation.ts";
import type { Queries } from "./database.ts";
import { inOrder } from "./order.ts";
import { type MissingRun, type Part, selectParts } from "./parts.ts";
import type { OneEpoch, Selection } from "./selection.ts";

/** Which two metrics to correlate over runs. */
export interface CorrelationRequest extends Omit<Selection, "groups" | "metrics" | "epoch"> {
  readonly x: string;
  readonly y: string;
  readonly epoch: OneEpoch;
}

/** Both metrics of one run. */
export interface CorrelationPoint {
  readonly run: string;
  readonly group: string | null;
  readonly seed: number | null;
  readonly epoch: number | null;
  readonly x: number;
  readonly y: number;
}

/** How the metrics go together over some runs. */
export interface CountedCoefficients extends Coefficients {
  /** Runs that have both. */
  readonly n: number;
}

/** How the metrics go together on one dataset with one protocol: over all runs, and over those of each group. */
export interface CorrelationRow extends CountedCoefficients {
  readonly dataset: string;
  readonly protocol: string;
  readonly groups: readonly (CountedCoefficients & { readonly group: string | null })[];
  /** In order of group and seed. */
  readonly points: readonly CorrelationPoint[];
  /** Runs that were evaluated on the dataset, but lack this metric. */
  readonly missing: readonly (MissingRun & { readonly group: string | null; readonly metric: string })[];
}

/** Returns the correlation of `x` with `y` over runs, one row for each dataset and protocol, in this order. */
export async function correlate(queries: Queries, { x, y, ...request }: CorrelationRequest): Promise<CorrelationRow[]> {
  const parts = await selectParts(queries, { ...request, metrics: [x, y] });
  const places = Map.groupBy(
    inOrder(parts, ({ dataset, protocol, group }) => [dataset, protocol, group]),
    ({ dataset, protocol }) => JSON.stringify([dataset, protocol]),
  );
  return [...places.values()].map((members) => {
    const points = members.map((part) => pointsOf(part, x, y));
    const { dataset, protocol } = members[0]!;
    const [ofAll, ...ofGroups] = coefficients([points.flat(), ...points]);
    return {
      ...{ dataset, protocol },
      ...ofAll!,
      groups: members.map(({ group }, i) => ({ group, ...ofGroups[i]! })),
      points: points.flat(),
      missing: members.flatMap(missingIn),
    };
  });
}

function pointsOf({ group, runs }: Part, x: string, y: string): CorrelationPoint[] {
  return runs.flatMap(({ run, seed, epoch, values }) => {
    const [valueX, valueY] = [values.get(x), values.get(y)];
    if (valueX === undefined || valueY === undefined) return [];
    return [{ run, group, seed, epoch, x: valueX, y: valueY }];
  });
}

function coefficients(samples: readonly (readonly CorrelationPoint[])[]): CountedCoefficients[] {
  const found = correlations(samples.map((points) => ({ x: points.map(({ x }) => x), y: points.map(({ y }) => y) })));
  return found.map((one, i) => ({ n: samples[i]!.length, ...one }));
}

function missingIn(part: Part): CorrelationRow["missing"] {
  const { group, metrics } = part;
  return metrics.flatMap((metric) => part.missing(metric).map((missing) => ({ ...missing, group, metric })));
}
