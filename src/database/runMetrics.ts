import { asc, eq, sql } from "drizzle-orm";
import { countedEvaluations } from "./counted.ts";
import type { Queries } from "./database.ts";
import { getRun } from "./runs.ts";
import { checkpoints, evaluations, metricValues } from "./schema.ts";

/** One evaluated checkpoint of a run. */
export interface CheckpointMetrics {
  /** Id of the evaluation. */
  readonly evaluation: string;
  /** URL it was evaluated from. */
  readonly checkpoint: string;
  readonly sha256: string;
  readonly epoch: number | null;
  readonly dataset: string;
  readonly protocol: string;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Returns the metrics of every evaluated checkpoint of run `id` in order of epoch, each protocol on its own; of several
 * successes the newest. With `latest`, only the last epoch of each protocol.
 * @throws CollapsarError `not-found`.
 */
export async function runMetrics(
  queries: Queries,
  id: string,
  { latest = false }: { latest?: boolean } = {},
): Promise<CheckpointMetrics[]> {
  const rows = await preparedIn(queries, latest ? "latest" : "all").execute({ id });
  if (rows.length === 0) await getRun(queries, id);
  return rows;
}

/** Which epochs are asked for. */
type Epochs = "all" | "latest";

/** This is what is asked most: made and planned once for each connection it takes a fifth of the time. */
const prepared = new WeakMap<Queries["orm"], Partial<Record<Epochs, ReturnType<typeof prepare>>>>();

function preparedIn({ orm }: Queries, epochs: Epochs): ReturnType<typeof prepare> {
  const known = prepared.get(orm) ?? {};
  prepared.set(orm, known);
  known[epochs] ??= prepare({ orm }, epochs);
  return known[epochs];
}

function prepare(queries: Queries, epochs: Epochs) {
  const counted = countedEvaluations(queries, {
    keys: [...(epochs === "latest" ? [] : [evaluations.epoch, evaluations.checkpointId]), evaluations.protocol],
    condition: eq(evaluations.runId, sql.placeholder("id")),
  });
  // a row for each evaluation, not for each of its numbers
  const values = sql<Readonly<Record<string, number>>>`coalesce((
    select json_object_agg(${metricValues.name}, ${metricValues.value} order by ${metricValues.name})::text
    from ${metricValues} where ${metricValues.evaluationId} = ${counted.evaluation}), '{}')`;
  return queries.orm
    .select({
      evaluation: counted.evaluation,
      checkpoint: counted.checkpoint,
      sha256: checkpoints.sha256,
      epoch: counted.epoch,
      dataset: counted.dataset,
      protocol: counted.protocol,
      values: values.mapWith(JSON.parse),
    })
    .from(counted)
    .innerJoin(checkpoints, eq(checkpoints.id, counted.checkpointId))
    .orderBy(asc(counted.epoch), asc(counted.evaluation))
    .prepare(`run_metrics_${epochs}`);
}
