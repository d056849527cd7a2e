import { asc, eq, sql } from "drizzle-orm";
import { countedEvaluations } from "./counted.ts";
import type { Queries } from "./database.ts";
import { getRun } from "./runs.ts";
import { checkpoints, evaluations, metricValues, runs } from "./schema.ts";

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
  await getRun(queries, id);
  const counted = countedEvaluations(queries, {
    keys: latest ? [evaluations.protocol] : [checkpoints.epoch, checkpoints.sha256, evaluations.protocol],
    condition: eq(runs.id, id),
    group: sql`null`,
  });
  const rows = await queries.orm
    .select({
      evaluation: counted.evaluation,
      checkpoint: counted.checkpoint,
      sha256: counted.sha256,
      epoch: counted.epoch,
      dataset: counted.dataset,
      protocol: counted.protocol,
      metric: metricValues.name,
      value: metricValues.value,
    })
    .from(counted)
    .leftJoin(metricValues, eq(metricValues.evaluationId, counted.evaluation))
    .orderBy(asc(counted.epoch), asc(counted.evaluation), asc(metricValues.name));
  return [...Map.groupBy(rows, (row) => row.evaluation).values()].map((group) => {
    const { metric: _, value: __, ...evaluation } = group[0]!;
    const present = group.filter((row) => row.metric !== null);
    return { ...evaluation, values: Object.fromEntries(present.map(({ metric, value }) => [metric, value!])) };
  });
}
