import { and, desc, eq, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { Queries } from "./database.ts";
import { type EvaluationSummary, selectSummaries } from "./evaluations.ts";
import { type Page, type PageRequest, toPage } from "./page.ts";
import { checkpoints, evaluations, runs } from "./schema.ts";
import type { EvaluationStatus } from "./states.ts";

/** What evaluations are asked for; one whose checkpoint has not been read is known by what its request says. */
export interface EvaluationFilter {
  readonly status?: EvaluationStatus | undefined;
  readonly run?: string | undefined;
  readonly experiment?: string | undefined;
  /** URL. */
  readonly checkpoint?: string | undefined;
  /** Name of the training set. */
  readonly dataset?: string | undefined;
}

/** Returns a page of the evaluations, newest first, of those that `filter` asks for. */
export async function listEvaluations(
  queries: Queries,
  { cursor, limit, ...filter }: PageRequest & EvaluationFilter,
): Promise<Page<EvaluationSummary>> {
  const { status, run, experiment, checkpoint, dataset } = filter;
  const asked = (path: string, value: string) =>
    and(isNull(evaluations.checkpointId), sql`${evaluations.request} #>> ${path} = ${value}`);
  // an array, so that the index on them is used beside that of the unread ones
  const ofRuns = (wanted: SQL) => {
    const theirs = queries.orm.select({ id: checkpoints.id }).from(checkpoints);
    const joined = theirs.innerJoin(runs, eq(runs.id, checkpoints.runId)).where(wanted);
    return sql`${evaluations.checkpointId} = any(array(${joined}))`;
  };
  const rows = await selectSummaries(queries)
    .where(
      and(
        status === undefined ? undefined : eq(evaluations.status, status),
        run === undefined ? undefined : or(ofRuns(eq(runs.id, run)), asked("{run,id}", run)),
        experiment === undefined
          ? undefined
          : or(ofRuns(eq(runs.experiment, experiment)), asked("{run,experiment}", experiment)),
        checkpoint === undefined ? undefined : eq(evaluations.checkpointUrl, checkpoint),
        dataset === undefined ? undefined : or(eq(evaluations.dataset, dataset), asked("{dataset}", dataset)),
        cursor === undefined ? undefined : lt(evaluations.id, cursor),
      ),
    )
    .orderBy(desc(evaluations.id))
    .limit(limit + 1);
  return toPage(rows, limit);
}
