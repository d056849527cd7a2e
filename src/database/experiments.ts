import { asc, count, countDistinct, eq, inArray, isNull, max, or, type SQL, sql } from "drizzle-orm";
import { CollapsarError } from "../errors.ts";
import type { Queries } from "./database.ts";
import type { PlacedSummary } from "./groupValues.ts";
import { mentions } from "./runs.ts";
import { runs } from "./schema.ts";
import { groupOf } from "./selection.ts";

/** The runs of one experiment, its groups with their last values. */
export interface Experiment {
  /** Null for the runs that do not say. */
  readonly experiment: string | null;
  readonly runs: number;
  /** Distinct ones. */
  readonly seeds: number;
  /** When something was last recorded of one of its runs. */
  readonly updatedAt: Date;
  readonly groups: readonly ExperimentGroup[];
}

/** The seeds of one group, folded. */
export interface ExperimentGroup {
  /** Null for the runs that do not say. */
  readonly group: string | null;
  readonly runs: number;
  readonly seeds: number;
  /** Of the metric after each run's own last epoch, one for each dataset and protocol. */
  readonly values: readonly PlacedSummary[];
}

export const EXPERIMENT_ORDERS = ["updated", "-updated", "name", "-name", "runs", "-runs"] as const;

/** Which experiments, in which order (`-`: descending), and what of their groups. */
export interface ExperimentRequest {
  /** A part of the name, or of an id, a group or the labels of a run, in whatever case. */
  readonly q?: string | undefined;
  readonly sort: (typeof EXPERIMENT_ORDERS)[number];
  readonly cursor?: string | undefined;
  readonly limit: number;
  /** `group`, `experiment`, `seed`, or the name of a label. */
  readonly by: string;
  readonly metric: string;
}

type Overview = Omit<Experiment, "groups">;

/**
 * Returns a page of the experiments and the cursor of the next one. All are counted, for the order asks for it; groups and
 * values are looked up for those of the page only.
 * @throws CollapsarError `invalid-request` where the cursor is none of this order.
 */
export async function listExperiments(
  queries: Queries,
  { q, sort, cursor, limit, by, metric }: ExperimentRequest,
): Promise<{ readonly items: readonly Experiment[]; readonly next: string | null }> {
  const matching = q === undefined ? undefined : sql`bool_or(${mentions(q)})`;
  const positions = (await selectOverviews(queries).having(matching)).map((overview) => ({
    overview,
    place: placeOf(overview, sort),
  }));
  const compare = sort.startsWith("-") ? (a: Place, b: Place) => comparePlaces(b, a) : comparePlaces;
  const after = cursor === undefined ? null : parseCursor(cursor);
  const rest = positions
    .filter(({ place }) => after === null || compare(place, after) > 0)
    .sort((a, b) => compare(a.place, b.place));
  const page = rest.slice(0, limit);
  const items = await withGroups(
    queries,
    page.map(({ overview }) => overview),
    { by, metric },
  );
  return { items, next: rest.length > limit ? toCursor(page.at(-1)!.place) : null };
}

/** Returns the experiment of this name with its groups. @throws CollapsarError `not-found`. */
export async function getExperiment(
  queries: Queries,
  name: string,
  folding: Pick<ExperimentRequest, "by" | "metric">,
): Promise<Experiment> {
  const [overview] = await selectOverviews(queries).where(eq(runs.experiment, name));
  if (!overview) throw new CollapsarError("not-found", `there is no experiment "${name}"`);
  return (await withGroups(queries, [overview], folding))[0]!;
}

/** Returns the keys of the labels that runs have, of all or of one experiment, in alphabetical order. */
export async function labelKeys({ orm }: Queries, experiment?: string): Promise<string[]> {
  const rows = await orm
    .selectDistinct({ key: sql<string>`jsonb_object_keys(${runs.labels})`.as("key") })
    .from(runs)
    .where(experiment === undefined ? undefined : eq(runs.experiment, experiment));
  return rows.map(({ key }) => key).sort();
}

function selectOverviews({ orm }: Queries) {
  return orm
    .select({
      experiment: runs.experiment,
      runs: count(),
      seeds: countDistinct(runs.seed),
      updatedAt: sql<Date>`${max(runs.updatedAt)}`.mapWith(runs.updatedAt),
    })
    .from(runs)
    .groupBy(runs.experiment)
    .$dynamic();
}

async function withGroups(
  queries: Queries,
  overviews: readonly Overview[],
  { by, metric }: Pick<ExperimentRequest, "by" | "metric">,
): Promise<Experiment[]> {
  const among = amongExperiments(overviews.map(({ experiment }) => experiment));
  const group = groupOf(by);
  const { groupValues } = await import("./groupValues.ts");
  const [groups, values] = await Promise.all([
    queries.orm
      .select({
        experiment: runs.experiment,
        group: sql<string | null>`${group}`.as("grouping"),
        runs: count(),
        seeds: countDistinct(runs.seed),
      })
      .from(runs)
      .where(among)
      .groupBy(runs.experiment, sql`grouping`)
      .orderBy(asc(sql`grouping`)),
    groupValues(queries, { among, by, metric }),
  ]);
  const keyOf = (row: { experiment: string | null; group: string | null }) =>
    JSON.stringify([row.experiment, row.group]);
  const ofGroup = Map.groupBy(values, keyOf);
  const ofExperiment = Map.groupBy(groups, ({ experiment }) => experiment);
  return overviews.map((overview) => ({
    ...overview,
    groups: (ofExperiment.get(overview.experiment) ?? []).map(({ experiment, ...row }) => ({
      ...row,
      values: (ofGroup.get(keyOf({ experiment, ...row })) ?? []).map(({ summary }) => summary),
    })),
  }));
}

function amongExperiments(names: readonly (string | null)[]): SQL {
  const named = names.filter((name) => name !== null);
  const condition = named.length > 0 ? inArray(runs.experiment, named) : sql`false`;
  return names.includes(null) ? or(condition, isNull(runs.experiment))! : condition;
}

/** What an experiment is ordered by, and its name to decide between equal ones. */
type Place = readonly [key: string | number, name: string];

function placeOf({ experiment, runs, updatedAt }: Overview, sort: ExperimentRequest["sort"]): Place {
  const keys = { name: "", runs, updated: updatedAt.toISOString() };
  return [keys[sort.replace("-", "") as keyof typeof keys], experiment ?? ""];
}

function comparePlaces(a: Place, b: Place): number {
  const at = a[0] === b[0] ? 1 : 0;
  return a[at] === b[at] ? 0 : a[at] < b[at] ? -1 : 1;
}

const toCursor = (place: Place) => Buffer.from(JSON.stringify(place)).toString("base64url");

function parseCursor(cursor: string): Place {
  try {
    const [key, name] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if ((typeof key === "string" || typeof key === "number") && typeof name === "string") return [key, name];
  } catch {
    // said below
  }
  throw new CollapsarError(
    "invalid-request",
    `cursor: expected the \`next\` of a page of experiments, not "${cursor}"`,
  );
}
