import { sql } from "drizzle-orm";
import type { Queries } from "../../src/database/database.ts";

/** What the database is filled with. */
export const SIZE = {
  runs: 10_000,
  /** One experiment with a checkpoint of every epoch. */
  study: { name: "cifar10-study", groups: 6, seeds: 15, epochs: 350 },
  /** The others: groups of 15 seeds, 17 to an experiment, checkpoints after five epochs. */
  others: { groups: 17, seeds: 15, epochs: [70, 140, 210, 280, 350] },
  unfinished: { queued: 40, running: 3, failed: 60, cancelled: 20 },
} as const;

const GROUPS = [
  ...[
    "ce",
    "nc",
    "ce-l2",
    "nc-l2",
    "ce-sn",
    "nc-sn",
    "ce-mixup",
    "nc-mixup",
    "ce-cutmix",
    "nc-cutmix",
    "mse",
    "mse-l2",
  ],
  ...["focal", "focal-l2", "label-smoothing", "supcon", "supcon-l2"],
];

/** How a metric goes: from `start` down to `end`, or where it `rises`, as far below 1. */
interface Course {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly rises?: true;
}

const COURSES: readonly Course[] = [
  { name: "nc1", start: 4, end: 0.02 },
  { name: "nc2_equinorm_means", start: 0.4, end: 0.03 },
  { name: "nc2_equinorm_classifiers", start: 0.15, end: 0.02 },
  { name: "nc2_equiangular_means", start: 0.35, end: 0.04 },
  { name: "nc2_equiangular_classifiers", start: 0.3, end: 0.05 },
  { name: "nc3", start: 0.9, end: 0.02 },
  { name: "nc4_error", start: 0.4, end: 0.001 },
  { name: "nc4_mismatch", start: 0.3, end: 0.001 },
  { name: "accuracy", start: 0.6, end: 0.05, rises: true },
  { name: "ece", start: 0.12, end: 0.03 },
  { name: "auroc:svhn:gmm", start: 0.3, end: 0.06, rises: true },
  { name: "auroc:svhn:energy", start: 0.35, end: 0.08, rises: true },
];

/** A number in [0, 1) that the text decides. */
const share = (text: string) => `((hashtextextended(${text}, 0) & 4503599627370495) / 4503599627370496.0)::float8`;

/**
 * Fills an empty database with 10,000 runs, about 81,000 evaluations and a million values, the same every time: a study over every
 * epoch, 39 smaller experiments, and evaluations that wait, run, failed or were cancelled. NC trajectories fall from random
 * to collapsed, faster after the epochs 150 and 250; groups differ, seeds scatter about their group.
 */
export async function fillTenThousandRuns(queries: Queries): Promise<void> {
  await insertRuns(queries);
  await insertCheckpoints(queries);
  await insertEvaluations(queries);
  await insertValues(queries);
  await insertUnfinished(queries);
  await queries.orm.execute(sql`vacuum analyze`);
}

async function insertRuns({ orm }: Queries): Promise<void> {
  const { study, others, runs } = SIZE;
  const inStudy = study.groups * study.seeds;
  const inOther = others.groups * others.seeds;
  await orm.execute(sql`
    insert into runs (id, experiment, "group", seed, labels)
    select experiment || '-' || name || '-seed' || lpad(seed::text, 2, '0'), experiment, name, seed,
      jsonb_build_object('loss', split_part(name, '-', 1), 'lr', case when g % 2 = 0 then '0.1' else '0.05' end,
        'arch', case when e % 3 = 0 then 'resnet50' else 'resnet18' end)
    from (
      select 0 as e, ${study.name}::text as experiment, i / ${study.seeds}::int as g, i % ${study.seeds}::int + 1 as seed
      from generate_series(0, ${inStudy - 1}::int) i
      union all
      select 1 + i / ${inOther}::int, (array['cifar10', 'cifar100', 'fashion', 'svhn'])[i / ${inOther}::int % 4 + 1] ||
          '-sweep-' || lpad((1 + i / ${inOther}::int)::text, 2, '0'),
        i % ${inOther}::int / ${others.seeds}::int, i % ${others.seeds}::int + 1
      from generate_series(0, ${runs - inStudy - 1}::int) i
    ) planned join jsonb_array_elements_text(${JSON.stringify(GROUPS)}::jsonb) with ordinality named(name, number)
      on number = g + 1
    order by e, g, seed`);
}

async function insertCheckpoints({ orm }: Queries): Promise<void> {
  const { study, others } = SIZE;
  await orm.execute(sql`
    insert into checkpoints (run_id, epoch, sha256, url, size, metadata)
    select id, epoch, encode(sha256((id || '/' || epoch)::bytea), 'hex'),
      's3://checkpoints/' || experiment || '/' || id || '/epoch-' || epoch || '.safetensors', 44752368,
      '{"arch": "resnet18", "variant": "cifar", "classes": "10", "mean": "0.4914,0.4822,0.4465"}'
    from runs join lateral (
      select generate_series(1, ${study.epochs}::int) as epoch where experiment = ${study.name}
      union all
      select jsonb_array_elements_text(${JSON.stringify(others.epochs)}::jsonb)::int where experiment <> ${study.name}
    ) epochs on true
    order by epoch, id`);
}

async function insertEvaluations({ orm }: Queries): Promise<void> {
  const parts = (name: string) =>
    JSON.stringify({
      ...{ dataset: { name, digest: "2f0c" }, test: { name: `${name}:test`, digest: "a1b4" } },
      ...{ ood: { svhn: { digest: "77aa" } }, engine: "onnxruntime", precision: "float32", metrics: "2" },
    });
  await orm.execute(sql`
    insert into evaluations (id, status, request, request_key, checkpoint_url, checkpoint_etag, checkpoint_size, attempts,
      attempt_log, checkpoint_id, protocol, protocol_parts, engine, omitted, seconds, created_at, started_at, finished_at)
    select '01K' || upper(lpad(to_hex(c.id), 23, '0')), 'succeeded', jsonb_build_object('checkpoint', url), c.sha256, url,
      c.sha256, size, 1,
      jsonb_build_array(jsonb_build_object('attempt', 1, 'startedAt', at, 'endedAt', at + interval '40 s', 'status',
        'succeeded', 'error', null)),
      c.id, encode(sha256(place.name::bytea), 'hex'), place.parts, '{"version": "1.30.0", "device": "cpu"}',
      '{}', '{"download": 0.4, "features": 38.5, "metrics": 1.25}', at - interval '5 s', at, at + interval '40 s'
    from checkpoints c
    join runs on runs.id = run_id
    join (values ('cifar10', ${parts("cifar10")}::jsonb), ('cifar100', ${parts("cifar100")}::jsonb),
      ('fashion', ${parts("fashion-mnist")}::jsonb), ('svhn', ${parts("svhn")}::jsonb)) place(name, parts)
      on place.name = split_part(experiment, '-', 1)
    cross join lateral (select timestamptz '2026-01-01' + c.id * interval '1 min' as at) times
    order by c.id`);
  await orm.execute(sql`
    update runs set created_at = first, updated_at = last
    from (select run_id, min(created_at) as first, max(finished_at) as last from evaluations group by run_id) recorded
    where run_id = id`);
}

async function insertValues({ orm }: Queries): Promise<void> {
  const ofGroup = share("name || experiment || grouping");
  const ofSeed = share("name || run");
  const ofEpoch = share("name || evaluation");
  await orm.execute(sql`
    insert into metric_values (evaluation_id, name, value)
    select evaluation, name, case when rises then 1 - least(1, level) else level end
    from (select e.id as evaluation, r.id as run, experiment, coalesce("group", '') as grouping, epoch
      from evaluations e join runs r on r.id = run_id) evaluated
    cross join jsonb_to_recordset(${JSON.stringify(COURSES)}::jsonb)
      as course(name text, start float8, "end" float8, rises boolean)
    cross join lateral (select
      (epoch * 2.0 + greatest(0, epoch - 150) * 3 + greatest(0, epoch - 250) * 2) / 1200.0 as done) schedule
    cross join lateral (select start * ("end" / start) ^ least(1, done) * exp(1.2 * ${sql.raw(ofGroup)} - 0.6)
      * exp(0.5 * ${sql.raw(ofSeed)} - 0.25) * exp(0.12 * ${sql.raw(ofEpoch)} - 0.06) as level) levels
    order by evaluation`); // as they come: all of an evaluation at once
}

async function insertUnfinished({ orm }: Queries): Promise<void> {
  const { queued, running, failed, cancelled } = SIZE.unfinished;
  const error = JSON.stringify({
    code: "object-not-found",
    message: "s3://checkpoints/late/epoch-350.safetensors: there is no such object",
  });
  await orm.execute(sql`
    insert into evaluations (id, status, request, request_key, checkpoint_url, checkpoint_etag, checkpoint_size, attempts,
      attempt_log, progress, error, created_at, started_at, finished_at)
    select '01M' || upper(lpad(to_hex(i), 23, '0')), status::evaluation_status,
      jsonb_build_object('checkpoint', url, 'dataset', 'cifar10', 'run', jsonb_build_object('id', 'late-' || i,
        'experiment', 'cifar10-sweep-01')), 'late-' || i, url, 'late-' || i, 44752368,
      case status when 'queued' then 0 when 'failed' then 3 else 1 end,
      coalesce((select jsonb_agg(jsonb_build_object('attempt', a, 'startedAt', at + a * interval '1 min', 'endedAt',
          case when status <> 'running' then at + a * interval '1 min' + interval '20 s' end, 'status',
          case when status = 'running' then null when a < 3 and status = 'failed' then 'queued' else status end,
          'error', case when status = 'failed' then ${error}::jsonb end))
        from generate_series(1, case status when 'queued' then 0 when 'failed' then 3 else 1 end) a), '[]'),
      case status when 'running' then '{"stage": "train", "done": 21504, "total": 50000}'::jsonb end,
      case status when 'failed' then ${error}::jsonb end,
      at, case when status <> 'queued' then at + interval '1 min' end,
      case when status in ('failed', 'cancelled') then at + interval '4 min' end
    from (select i, case when i <= ${queued}::int then 'queued' when i <= ${queued + running}::int then 'running'
        when i <= ${queued + running + failed}::int then 'failed' else 'cancelled' end as status,
        's3://checkpoints/late/epoch-' || i || '.safetensors' as url, timestamptz '2026-03-01' + i * interval '1 min' as at
      from generate_series(1, ${queued + running + failed + cancelled}::int) i) late`);
}
