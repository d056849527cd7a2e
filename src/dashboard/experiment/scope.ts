import type { ExperimentResource } from "../../api/experimentSchemas.ts";
import { type GroupStyle, groupStyle } from "../charts/colours.ts";
import { groupLabel } from "../format.ts";
import { inOrder, mainMetrics } from "../metricSections.ts";
import type { Query } from "../query.ts";

/** A group, and how it is drawn. */
export interface ScopeGroup {
  readonly key: string | null;
  readonly name: string;
  readonly runs: number;
  readonly style: GroupStyle;
  readonly isShown: boolean;
}

/** What of an experiment is looked at: on which dataset with which protocol, which groups of it. */
export interface Scope {
  readonly experiment: string;
  readonly by: string;
  readonly labels: readonly string[];
  readonly places: ExperimentResource["places"];
  readonly dataset: string;
  readonly protocol: string;
  /** Names of what was measured there. */
  readonly metrics: readonly string[];
  /** Those of the tables. */
  readonly tableMetrics: readonly string[];
  readonly groups: readonly ScopeGroup[];
  /** Which checkpoint stands for a run. */
  readonly epoch: string;
}

/** More groups than these are shown when they are asked for. */
const SHOWN_AT_FIRST = 8;

/** Returns what the address asks for of an experiment; null where nothing was evaluated. */
export function scopeOf(experiment: ExperimentResource, query: Query): Scope | null {
  const places = experiment.places.toSorted((a, b) => b.runs - a.runs);
  const place = places.find(({ protocol, dataset }) => placeKey({ protocol, dataset }) === query.on) ?? places[0];
  if (!place || experiment.experiment === null) return null;
  const metrics = inOrder(place.metrics);
  const asked = query.groups?.split(",");
  const groups = experiment.groups.map(({ group, runs }, i) => ({
    ...{ key: group, name: groupLabel(group), runs, style: groupStyle(i) },
    isShown: asked ? asked.includes(groupLabel(group)) : i < SHOWN_AT_FIRST,
  }));
  return {
    ...{ experiment: experiment.experiment, by: experiment.by, labels: experiment.labels, places, groups },
    ...{
      dataset: place.dataset,
      protocol: place.protocol,
      metrics,
      tableMetrics: query.all === "1" ? metrics : mainMetrics(metrics),
    },
    epoch: query.epoch ?? "last",
  };
}

/** Returns how the address names a dataset with a protocol. */
export function placeKey({ dataset, protocol }: { readonly dataset: string; readonly protocol: string }): string {
  return `${dataset}.${protocol.slice(0, 12)}`;
}

/** Returns of rows of any dataset and protocol those of `scope`. */
export function rowsOf<R extends { readonly dataset: string; readonly protocol: string }>(
  rows: readonly R[],
  { dataset, protocol }: Scope,
): R[] {
  return rows.filter((row) => row.dataset === dataset && row.protocol === protocol);
}

/** Returns the measure of OoD detection that is shown first: AUROC of DDU’s score where there is one. */
export function firstDetection(metrics: readonly string[]): string | undefined {
  return metrics.find((name) => /^auroc:.*:gmm$/.test(name)) ?? metrics.find((name) => name.startsWith("auroc:"));
}
