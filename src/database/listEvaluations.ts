import { and, desc, eq, inArray, isNull, lt, or, type SQL, sql } from "drizzle-orm";
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
  const ofRuns = (wanted: SQL) => {
    const theirs = queries.orm.select({ id: checkpoints.id }).from(checkpoints);
    return theirs.innerJoin(runs, eq(runs.id, checkpoints.runId)).where(wanted);
  };
  // those of a run are few: as an array they are looked up in the index, beside that of the unread ones
  const ofRun = (id: string) => sql`${evaluations.checkpointId} = any(array(${ofRuns(eq(runs.id, id))}))`;
  // those of an experiment may be most: as a set each evaluation is looked up in them, newest first, until there are enough
  const ofExperiment = (name: string) => inArray(evaluations.checkpointId, ofRuns(eq(runs.experiment, name)));
  const rows = await selectSummaries(queries)
    .where(
      and(
        status === undefined ? undefined : eq(evaluations.status, status),
        run === undefined ? undefined : or(ofRun(run), asked("{run,id}", run)),
        experiment === undefined ? undefined : or(ofExperiment(experiment), asked("{run,experiment}", experiment)),
        checkpoint === undefined ? undefined : eq(evaluations.checkpointUrl, checkpoint),
        dataset === undefined ? undefined : or(eq(evaluations.dataset, dataset), asked("{dataset}", dataset)),
        cursor === undefined ? undefined : lt(evaluations.id, cursor),
      ),
    )
    .orderBy(desc(evaluations.id))
    .limit(limit + 1);
  return toPage(rows, limit);
}
