import { sql } from "drizzle-orm";
import type { Queries } from "../../src/database/database.ts";
import { METRICS } from "../../src/metrics/names.ts";

/** What the database is filled with: a value of every metric for every epoch of every seed of every group. */
export const SIZE = { groups: 10, seeds: 15, epochs: 350, metrics: 20 };

export const EXPERIMENT = "bench";

/** Names as they are recorded: of collapse and test metrics, and of OoD detection. */
const NAMES = [
  ...Object.keys(METRICS).slice(0, SIZE.metrics - 4),
  ...["gmm", "energy", "entropy", "max_softmax"].map((score) => `auroc:svhn:${score}`),
];

/** Fills an empty database by four statements and has the planner look at it. */
export async function fill(
  { orm }: Queries,
  { groups, seeds, epochs }: Omit<typeof SIZE, "metrics"> = SIZE,
): Promise<void> {
  await orm.execute(sql`
    insert into runs (id, experiment, "group", seed, labels)
    select 'group-' || g || '-seed-' || s, ${EXPERIMENT}, 'group-' || g, s, '{"lr": "0.1"}'
    from generate_series(1, ${groups}::int) g, generate_series(1, ${seeds}::int) s`);
  await orm.execute(sql`
    insert into checkpoints (run_id, epoch, sha256, url, size, metadata)
    select id, epoch, encode(sha256((id || '/' || epoch)::bytea), 'hex'),
      's3://checkpoints/bench/' || id || '/epoch-' || epoch || '.safetensors', 44752368,
      '{"arch": "resnet18", "variant": "cifar", "classes": "10", "mean": "0.4914,0.4822,0.4465"}'
    from generate_series(1, ${epochs}::int) epoch, runs`);
  await orm.execute(sql`
    insert into evaluations (id, status, request, request_key, checkpoint_url, checkpoint_etag, checkpoint_size, attempts,
      checkpoint_id, protocol, protocol_parts, engine, omitted, seconds, created_at, started_at, finished_at)
    select '01K' || upper(lpad(to_hex(id), 23, '0')), 'succeeded', jsonb_build_object('checkpoint', url), sha256, url, sha256, size, 1,
      id, encode(sha256('protocol'), 'hex'),
      '{"dataset": {"name": "cifar10", "digest": "2f0c"}, "test": {"name": "cifar10:test", "digest": "a1b4"},
        "network": {}, "engine": "onnxruntime", "precision": "float32", "metrics": "1"}',
      '{"version": "1.30.0", "device": "cpu"}', '{}', '{"download": 0.4, "features": 270.5, "metrics": 1.25}',
      timestamptz '2026-01-01' + id * interval '5 min', timestamptz '2026-01-01' + id * interval '5 min',
      timestamptz '2026-01-01' + (id + 1) * interval '5 min'
    from checkpoints order by id`);
  await orm.execute(sql`
    insert into metric_values (evaluation_id, name, value)
    select id, name, 1 / (1 + abs(hashtextextended(id || name, 0)) / 1e18)
    from evaluations, jsonb_array_elements_text(${JSON.stringify(NAMES)}::jsonb) name`);
  await orm.execute(sql`vacuum analyze`);
}
