import postgres from "postgres";

/** One evaluation as the database has it. */
export interface Recorded {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly requestKey: string;
  /** `run/epoch` of the request. */
  readonly place: string;
  /** Checkpoint and protocol, of one that succeeded with values of its own. */
  readonly identity: string | null;
  readonly values: Readonly<Record<string, number>>;
  readonly details: unknown;
}

/** All that a database holds of evaluations, and the jobs of its queue. */
export interface Records {
  readonly evaluations: readonly Recorded[];
  /** How many jobs, by `queue state`. */
  readonly jobs: Readonly<Record<string, number>>;
  /** Rows that no evaluation accounts for: shards of evaluations that have ended. */
  readonly leftShards: number;
}

/** Reads the database at `url`. */
export async function readRecords(url: string): Promise<Records> {
  const client = postgres(url, { max: 1, onnotice() {} });
  try {
    const evaluations = await client<Recorded[]>`
      select id, status, attempts, error, request_key as "requestKey",
             (request #>> '{run,id}') || '/' || (request #>> '{run,epoch}') as place,
             case when status = 'succeeded' and same_as is null then checkpoint_id || ' ' || protocol end as identity,
             coalesce((select json_object_agg(name, value) from metric_values where evaluation_id = id), '{}') as values,
             (select details from evaluation_details where evaluation_id = id) as details
      from evaluations order by id`;
    const jobs = await client<{ job: string; count: number }[]>`
      select name || ' ' || state as job, count(*)::int from pgboss.job where name !~ '^__' group by 1 order by 1`;
    const [shards] = await client<[{ count: number }]>`select count(*)::int from evaluation_shards`;
    return {
      evaluations: [...evaluations],
      jobs: Object.fromEntries(jobs.map(({ job, count }) => [job, count])),
      leftShards: shards.count,
    };
  } finally {
    await client.end();
  }
}

/** Returns how many evaluations have not ended, and how many jobs. */
export async function countUnended(url: string): Promise<{ evaluations: number; jobs: number }> {
  const client = postgres(url, { max: 1, onnotice() {}, connect_timeout: 5 });
  try {
    const [row] = await client<[{ evaluations: number; jobs: number }]>`
      select (select count(*)::int from evaluations where status in ('queued', 'running')) as evaluations,
             (select count(*)::int from pgboss.job where state < 'completed' and name !~ '^__') as jobs`;
    return row;
  } finally {
    await client.end();
  }
}
