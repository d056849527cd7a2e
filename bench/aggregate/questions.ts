import { aggregate } from "../../src/database/aggregate.ts";
import type { Queries } from "../../src/database/database.ts";
import { EXPERIMENT } from "./fill.ts";

/** A question to the service, and the bare SQL that answers it alike. */
export interface Question {
  readonly name: string;
  /** Path and query. */
  readonly path: string;
  /** The same, apart from HTTP. */
  readonly ask: (queries: Queries) => Promise<unknown>;
  /** One statement: a row per group, metric, dataset and protocol, with the values of the seeds. */
  readonly bare: string;
  /** The same without the values of the seeds. */
  readonly bareSummary: string;
}

const selection = { experiment: EXPERIMENT, by: "group" } as const;

export const QUESTIONS: readonly Question[] = [
  {
    name: "last epoch, all metrics",
    path: `/aggregate?experiment=${EXPERIMENT}`,
    ask: (queries) => aggregate(queries, { ...selection, epoch: "last" }),
    bare: statement({ everyEpoch: false, seeds: true }),
    bareSummary: statement({ everyEpoch: false, seeds: false }),
  },
  {
    name: "every epoch, nc1",
    path: `/aggregate?experiment=${EXPERIMENT}&metrics=nc1&epoch=all`,
    ask: (queries) => aggregate(queries, { ...selection, metrics: ["nc1"], epoch: "all" }),
    bare: statement({ metric: "nc1", everyEpoch: true, seeds: true }),
    bareSummary: statement({ metric: "nc1", everyEpoch: true, seeds: false }),
  },
];

/** Of each run, protocol (and epoch) the newest success, as the service counts; then all of the aggregate in SQL. */
function statement({
  metric,
  everyEpoch,
  seeds,
}: {
  readonly metric?: string;
  readonly everyEpoch: boolean;
  readonly seeds: boolean;
}): string {
  const keys = `e.run_id, e.protocol${everyEpoch ? ", e.epoch" : ""}`;
  const perSeed = `, json_agg(json_build_object('run', run, 'seed', seed, 'epoch', epoch, 'value', m.value)
      order by seed, run) as "perSeed"`;
  return `
    with counted as (
      select distinct on (${keys})
        e.id, r.id as run, r.seed, r."group", e.epoch, e.dataset, e.protocol
      from evaluations e
      join runs r on r.id = e.run_id
      where e.status = 'succeeded' and e.same_as is null and e.protocol is not null and r.experiment = '${EXPERIMENT}'
      order by ${keys}${everyEpoch ? " desc nulls last" : ", e.epoch desc nulls last"}, e.finished_at desc nulls last,
        e.id desc nulls last)
    select "group", m.name as metric, dataset, protocol, min(epoch) as epoch, count(*)::int as n, avg(m.value) as mean,
      stddev_samp(m.value) as sd, stddev_samp(m.value) / sqrt(count(*)) as se,
      percentile_cont(0.5) within group (order by m.value) as median, min(m.value), max(m.value)${seeds ? perSeed : ""}
    from counted join metric_values m on m.evaluation_id = counted.id
    ${metric ? `where m.name = '${metric}'` : ""}
    group by "group", m.name, dataset, protocol${everyEpoch ? ", epoch" : ""}
    order by "group", metric, dataset, protocol, epoch`;
}
