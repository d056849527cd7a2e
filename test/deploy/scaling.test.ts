import { rm } from "node:fs/promises";
import postgres from "postgres";
import { afterAll, expect, it } from "vitest";
import { openDatabase } from "../../src/database/open.ts";
import { backlogOf } from "../../src/jobs/backlog.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import type { Task } from "../../src/jobs/tasks.ts";
import { emptyFolder } from "../api/samples.ts";
import { submission } from "../database/samples.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { manifests } from "./manifests.ts";

const server = await startPostgres();
afterAll(() => server?.stop());

const triggers = manifests
  .filter(({ kind }) => kind === "ScaledObject" || kind === "ScaledJob")
  .flatMap(({ spec }) => spec.triggers as { metadata: { query: string } }[]);
const queries = [...new Set(triggers.map(({ metadata }) => metadata.query))];

/** As docs/operations.md has it. */
const GRANTS = "grant usage on schema pgboss to {role}; grant select on pgboss.job to {role}";

it("all triggers ask the same", () => {
  expect(triggers).toHaveLength(2);
  expect(queries).toHaveLength(1);
});

it.runIf(server)("KEDA's query counts what waits and what runs, as a role that may read nothing else", async () => {
  const url = await freshDatabase(server!);
  const home = await emptyFolder();
  const database = await openDatabase({ home, databaseUrl: url }, "collapsar test");
  const queue = await openQueue(database, console.error);
  const role = `queue_${process.pid}`;
  const owner = postgres(url, { max: 1 });
  await owner.unsafe(`create role ${role} login password 'x'; ${GRANTS.replaceAll("{role}", role)}`);
  const asRole = new URL(url);
  asRole.username = role;
  asRole.password = "x";
  const keda = postgres(asRole.href, { max: 1 });
  const count = async () => Number((await keda.unsafe(queries[0]!))[0]!.count);
  try {
    expect(await count()).toBe(0);
    await expect(keda`select * from evaluations`).rejects.toThrow("permission denied");

    // five evaluations, of which webhooks wait too; none of these is a worker's business
    for (let i = 0; i < 5; i++) await queue.submit(submission(), "https://hooks.example.org");
    const { evaluation } = await queue.submit(submission(), "https://hooks.example.org");
    await queue.cancel(evaluation.id);
    const rows =
      await owner`select name, count(*)::int from pgboss.job where state < 'completed' group by name order by name`;
    expect(rows.map(({ name, count }) => [name, count])).toEqual([
      ["evaluate", 6],
      ["webhook", 1],
    ]);
    expect(await count()).toBe(6); // the job of what was cancelled is a worker's to drop

    const held: (() => void)[] = [];
    const taken: Task[] = [];
    const handler = (task: Task) => {
      taken.push(task);
      return new Promise<void>((resolve) => held.push(resolve));
    };
    await queue.work(handler, { concurrency: 2 });
    await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(2);
    const { waiting, active } = await backlogOf(database);
    expect(active).toBe(2);
    expect(await count()).toBe(waiting + active);

    const release = setInterval(() => held.splice(0).map((end) => end()), 20);
    await expect.poll(count, { timeout: 30_000 }).toBe(0);
    clearInterval(release);
  } finally {
    await queue.stop({ graceful: false });
    await keda.end();
    await owner.unsafe(`drop owned by ${role}; drop role ${role}`);
    await owner.end();
    await database.close();
    await rm(home, { recursive: true });
  }
});
