import { CollapsarError } from "../errors.ts";
import { SECTIONS } from "../metrics/names.ts";
import type { Queries } from "./database.ts";
import { type EvaluatedRun, type Gathered, gather, gatherEpochs, type Place } from "./gather.ts";
import {
  OWN_KEYS,
  type RosterRun,
  type Selection,
  selectOmissions,
  selectRoster,
  selectSeries,
  type ValueSeries,
} from "./selection.ts";

/** The value of one run. */
export interface SeedValue {
  readonly run: string;
  readonly seed: number | null;
  readonly epoch: number | null;
  readonly value: number;
}

/** A run that lacks a metric, and why. */
export interface MissingRun {
  readonly run: string;
  readonly seed: number | null;
  readonly reason: string;
}

/** The runs of one group on one dataset with one protocol, and at one epoch where every epoch is a part of its own. */
export interface Part extends Place {
  /** Those asked for, else those that a run of any group has on this dataset with this protocol. */
  readonly metrics: readonly string[];
  /** In order of seed and id. */
  readonly runs: readonly EvaluatedRun[];
  /** Returns the runs of the group that were evaluated on this dataset, but have no such metric here. */
  missing(metric: string): MissingRun[];
}

/**
 * Returns the parts of a selection. One may have missing runs only: those of a group that was evaluated on the dataset,
 * but with another protocol or at other epochs than those chosen.
 * @throws CollapsarError `not-found` where it is to be grouped by a label that none of its runs has.
 */
export async function selectParts(queries: Queries, selection: Selection): Promise<Part[]> {
  const series = await selectSeries(queries, selection);
  const { epoch } = selection;
  const countsEveryRun = epoch === "last" || epoch === "all";
  const roster = countsEveryRun ? series : await selectRoster(queries, selection);
  const gathered = epoch === "all" ? gatherEpochs(series) : gather(series, roster);
  const metricsOf = metricsIn(series, selection);
  const isComplete = (part: Gathered) =>
    metricsOf(part).every((metric) => part.runs.every(({ values }) => values.has(metric)));
  const reasonOf = gathered.every(isComplete) ? () => undefined : await omissionReasons(queries, selection);
  requireLabel(roster, selection);
  const membersOf = membersIn(roster);
  return gathered.map((part) => ({
    ...part,
    metrics: metricsOf(part),
    missing(metric) {
      const evaluated = new Map(part.runs.map((run) => [run.run, run]));
      const without = membersOf(part).filter(({ run }) => !evaluated.get(run)?.values.has(metric));
      return without.map(({ run, seed }) => ({
        ...{ run, seed },
        reason: evaluated.has(run)
          ? (reasonOf(part, evaluated.get(run)!, metric) ?? "its evaluation has no such metric")
          : absence(selection),
      }));
    },
  }));
}

/** A label that no run has puts all of them into one group, which nobody means. */
function requireLabel(roster: readonly RosterRun[], { by }: Selection): void {
  if (OWN_KEYS.includes(by) || roster.length === 0 || roster.some(({ group }) => group !== null)) return;
  const expected = `${OWN_KEYS.join(", ")} or the key of a label`;
  throw new CollapsarError("not-found", `no run of this selection has a label "${by}", expected ${expected}`);
}

/** Returns the values of a metric in a part, in order of seed and id of the run. */
export function valuesOf({ runs }: Pick<Part, "runs">, metric: string): SeedValue[] {
  return runs.flatMap(({ run, seed, epoch, values }) => {
    const value = values.get(metric);
    return value === undefined ? [] : [{ run, seed, epoch, value }];
  });
}

/** Returns which metrics the parts on a dataset with a protocol have. */
function metricsIn(series: readonly ValueSeries[], { metrics }: Selection): (place: Place) => readonly string[] {
  const asked = metrics && [...new Set(metrics)];
  const keyOf = ({ dataset, protocol }: Omit<Place, "group">) => `${protocol} ${dataset}`;
  const found = Map.groupBy(series, keyOf);
  const names = new Map(
    [...found].map(([key, members]) => [key, [...new Set(members.flatMap(({ metric }) => metric ?? []))]]),
  );
  return (place) => asked ?? names.get(keyOf(place)) ?? [];
}

/** Returns which runs a group has that were evaluated on a dataset. */
function membersIn(roster: readonly RosterRun[]): (place: Place) => readonly RosterRun[] {
  const keyOf = ({ group, dataset }: Omit<Place, "protocol">) => JSON.stringify([group, dataset]);
  const members = new Map(
    [...Map.groupBy(roster, keyOf)].map(([key, runs]) => [
      key,
      [...new Map(runs.map((member) => [member.run, member])).values()],
    ]),
  );
  return (place) => members.get(keyOf(place)) ?? [];
}

/**
 * Returns what was recorded as the reason why an evaluation has no such metric: that of the metric, else that of the whole
 * it belongs to, such as all calibration.
 */
async function omissionReasons(
  queries: Queries,
  selection: Selection,
): Promise<(place: Place, run: EvaluatedRun, metric: string) => string | undefined> {
  const keyOf = (run: string, protocol: string, epoch: number | null) => `${epoch} ${protocol} ${run}`;
  const omissions = await selectOmissions(queries, selection);
  const reasons = new Map(omissions.map((one) => [keyOf(one.run, one.protocol, one.epoch), one.omitted]));
  return ({ protocol }, { run, epoch }, metric) => {
    const omitted = reasons.get(keyOf(run, protocol, epoch)) ?? {};
    return omitted[metric] ?? Object.entries(omitted).find(([whole]) => isPartOf(metric, whole))?.[1];
  };
}

/** Returns whether `metric` belongs to `whole`: `calibration`, what one temperature makes of it, or `ood:SET`. */
function isPartOf(metric: string, whole: string): boolean {
  const [base, ...rest] = metric.split(":") as [string, ...string[]];
  if (whole === "calibration") return Object.hasOwn(SECTIONS.test, base);
  const set = /^ood:(.+)$/s.exec(whole)?.[1];
  return set === undefined ? rest.join(":") === whole : metric.startsWith(`${base}:${set}:`);
}

function absence({ epoch }: Selection): string {
  if (epoch === "last") return "not evaluated with this protocol";
  if (epoch === "all") return "not evaluated at this epoch with this protocol";
  if (typeof epoch === "number") return `not evaluated at epoch ${epoch} with this protocol`;
  return `no epoch has ${epoch.metric} with this protocol`;
}
