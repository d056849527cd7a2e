import { and, asc, count, eq, getTableColumns, gt, max, type SQL, sql } from "drizzle-orm";
import { CollapsarError } from "../errors.ts";
import type { Queries } from "./database.ts";
import { type Page, type PageRequest, toPage } from "./page.ts";
import { checkpoints, runs } from "./schema.ts";

/** Where a checkpoint belongs, as far as it is known. */
export interface RunDescription {
  readonly id: string;
  readonly experiment?: string | null | undefined;
  readonly group?: string | null | undefined;
  readonly seed?: number | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** A run, and how far it has been evaluated. */
export type Run = typeof runs.$inferSelect & {
  /** Evaluated checkpoints. */
  readonly checkpoints: number;
  readonly lastEpoch: number | null;
};

/**
 * Makes the run, or fills in what is now known of it; what is not said is not erased. Locks the row until the end of
 * the transaction, so that whoever records for this run comes one after the other.
 */
export async function fillRun({ orm }: Queries, run: RunDescription): Promise<void> {
  await orm
    .insert(runs)
    .values(run)
    .onConflictDoUpdate({
      target: runs.id,
      set: {
        experiment: sql`coalesce(excluded.experiment, ${runs.experiment})`,
        group: sql`coalesce(excluded."group", ${runs.group})`,
        seed: sql`coalesce(excluded.seed, ${runs.seed})`,
        labels: sql`${runs.labels} || excluded.labels`,
        updatedAt: sql`now()`,
      },
    });
}

/** What runs are asked for. */
export interface RunFilter {
  readonly experiment?: string | undefined;
  readonly group?: string | undefined;
  /** A part of its id, its group, its experiment's name or its labels, in whatever case. */
  readonly q?: string | undefined;
}

/** Returns a page of the runs in order of id, of those that the filter asks for. */
export async function listRuns(
  queries: Queries,
  { experiment, group, q, cursor, limit }: PageRequest & RunFilter,
): Promise<Page<Run>> {
  const rows = await selectRuns(queries)
    .where(
      and(
        experiment === undefined ? undefined : eq(runs.experiment, experiment),
        group === undefined ? undefined : eq(runs.group, group),
        q === undefined ? undefined : mentions(q),
        cursor === undefined ? undefined : gt(runs.id, cursor),
      ),
    )
    .orderBy(asc(runs.id))
    .limit(limit + 1);
  return toPage(rows, limit);
}

/** Returns the condition that the id, group, experiment or labels of a run hold `q`, in whatever case. */
export function mentions(q: string): SQL {
  const text = sql`concat_ws(' ', ${runs.experiment}, ${runs.id}, ${runs.group}, ${runs.labels}::text)`;
  return sql`strpos(lower(${text}), lower(${q})) > 0`;
}

/** Returns the run `id`. @throws CollapsarError `not-found`. */
export async function getRun(queries: Queries, id: string): Promise<Run> {
  const [run] = await selectRuns(queries).where(eq(runs.id, id));
  if (!run) throw new CollapsarError("not-found", `there is no run "${id}"`);
  return run;
}

/** Changes labels of run `id`: null removes one, what is not named stays. @throws CollapsarError `not-found`. */
export async function labelRun(
  { orm }: Queries,
  id: string,
  changes: Readonly<Record<string, string | null>>,
): Promise<void> {
  // json merged as it is, then without the nulls
  const labels = sql`jsonb_strip_nulls(${runs.labels} || ${JSON.stringify(changes)}::jsonb)`;
  requireRun(id, await orm.update(runs).set({ labels }).where(eq(runs.id, id)).returning({ id: runs.id }));
}

/**
 * Forgets run `id` with its checkpoints, their evaluations and metrics. What waits or is at work is not of the run yet,
 * and makes it anew. @throws CollapsarError `not-found`.
 */
export async function deleteRun({ orm }: Queries, id: string): Promise<void> {
  requireRun(id, await orm.delete(runs).where(eq(runs.id, id)).returning({ id: runs.id }));
}

function requireRun(id: string, rows: readonly unknown[]): void {
  if (rows.length === 0) throw new CollapsarError("not-found", `there is no run "${id}"`);
}

function selectRuns({ orm }: Queries) {
  return orm
    .select({ ...getTableColumns(runs), checkpoints: count(checkpoints.id), lastEpoch: max(checkpoints.epoch) })
    .from(runs)
    .leftJoin(checkpoints, eq(checkpoints.runId, runs.id))
    .groupBy(runs.id)
    .$dynamic();
}
