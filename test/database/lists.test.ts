import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CASING, type Queries } from "../../src/database/database.ts";
import { listEvaluations } from "../../src/database/listEvaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";

const server = await startPostgres();
afterAll(() => server?.stop());

describe.runIf(server)("100,000 evaluations on PostgreSQL", () => {
  let client: postgres.Sql;
  let queries: Queries;
  let asked: [query: string, parameters: unknown[]];

  beforeAll(async () => {
    const url = await freshDatabase(server!);
    await (await openDatabase({ home: "", databaseUrl: url }, "collapsar test")).close();
    client = postgres(url, { max: 1 });
    const logQuery = (query: string, parameters: unknown[]) => {
      asked = [query, parameters];
    };
    queries = { orm: drizzle({ client, casing: CASING, logger: { logQuery } }) };
    await client.unsafe(`
      insert into runs (id, experiment) select 'run-' || i, 'experiment-' || i / 10 from generate_series(0, 999) i;
      insert into checkpoints (run_id, epoch, sha256, url, size)
      select 'run-' || i % 1000, i / 1000, 'sha-' || i, 's3://models/' || i, 1 from generate_series(0, 98999) i;
      insert into evaluations (id, status, request, request_key, checkpoint_url, checkpoint_etag, checkpoint_size,
                               checkpoint_id, protocol, protocol_parts)
      select lpad(i::text, 26, '0'),
             (case when i < 99000 then 'succeeded' when i < 99900 then 'failed' else 'queued' end)::evaluation_status,
             jsonb_build_object('dataset', 'set-' || i % 500,
                                'run', jsonb_build_object('id', 'run-' || i % 1000, 'experiment', 'unread')),
             'key-' || i, 's3://models/' || i, '', 1, c.id, 'p',
             case when i < 99000 then jsonb_build_object('dataset', jsonb_build_object('name', 'set-' || i % 500)) end
      from generate_series(0, 99999) i left join checkpoints c on c.sha256 = 'sha-' || i;
      analyze`);
  });
  afterAll(() => client.end());

  it.each([
    [{ run: "run-7" }, 100],
    [{ experiment: "experiment-3" }, 990],
    [{ experiment: "unread" }, 1000],
    [{ checkpoint: "s3://models/5" }, 1],
    [{ dataset: "set-3" }, 200],
    [{ status: "failed" }, 900],
    [{ status: "succeeded", run: "run-7" }, 99],
  ] as const)("are listed by %j without reading all of them", async (filter, count) => {
    const { items } = await listEvaluations(queries, { ...filter, limit: 1000 });
    const ids = items.map(({ id }) => id);
    expect(ids).toHaveLength(count);
    expect(ids).toEqual(ids.toSorted().reverse());
    const [query, parameters] = asked;
    const plan = await client.unsafe(`explain ${query}`, parameters as string[]);
    const lines = plan.map((row) => String(row["QUERY PLAN"]));
    expect(lines.join("\n")).toMatch(/Scan .*evaluations/);
    expect(lines.filter((line) => /Seq Scan on evaluations/.test(line))).toEqual([]);
  });
});
