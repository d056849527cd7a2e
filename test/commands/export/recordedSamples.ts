import { join } from "node:path";
import { eq } from "drizzle-orm";
import { openDatabase } from "../../../src/database/open.ts";
import { checkpoints, evaluations, metricValues } from "../../../src/database/schema.ts";
import { evaluated } from "../../database/samples.ts";

/** Doubles that a careless writer loses: of many digits, the least and the greatest, more than 2^53. */
const HARD = [0.1 + 0.2, 5e-324, Number.MAX_VALUE, 0, 2 ** 53 + 2, -1 / 3, 1e-300 / 7];

/**
 * Records in the embedded database below `folder` three runs of two experiments with two epochs each, one of them under
 * two protocols as well, and returns every value there is, by run, protocol, epoch and metric.
 */
export async function recordSamples(folder: string): Promise<Map<string, number>> {
  const database = await openDatabase({ home: join(folder, "home"), databaseUrl: null }, "collapsar test");
  let n = 0;
  async function record(run: string, experiment: string, protocol: string, epoch: number | null) {
    const names = ["nc1", "auroc:mnist:gmm", "auroc:a+b (1):knn", "ece"];
    const values = Object.fromEntries(names.map((name, i) => [name, HARD[(n + i) % HARD.length]!]));
    n += 1;
    const place = { id: run, experiment, group: "ce", seed: 2 ** 40 + 1, labels: { reviewed: "yes" } };
    await evaluated(database, { run: place, protocol, epoch, values });
  }
  for (const epoch of [1, 2]) for (const run of ["one-1", "one-2"]) await record(run, "one", "p1", epoch);
  await record("one-2", "one", "p2", 2);
  await record("two-1", "two", "p1", null);
  const { run, epoch } = { run: checkpoints.runId, epoch: checkpoints.epoch };
  const rows = await database.orm
    .select({ run, protocol: evaluations.protocol, epoch, metric: metricValues.name, value: metricValues.value })
    .from(metricValues)
    .innerJoin(evaluations, eq(evaluations.id, metricValues.evaluationId))
    .innerJoin(checkpoints, eq(checkpoints.id, evaluations.checkpointId));
  await database.close();
  return new Map(rows.map((row) => [JSON.stringify([row.run, row.protocol, row.epoch, row.metric]), row.value]));
}
