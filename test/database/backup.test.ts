import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { openDatabase } from "../../src/database/open.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import type { Task } from "../../src/jobs/tasks.ts";
import { emptyFolder } from "../api/samples.ts";
import { freshDatabase, postgresBinaries, startPostgres } from "../servers/postgres.ts";
import { evaluated, submission } from "./samples.ts";

const run = promisify(execFile);
const server = await startPostgres();
afterAll(() => server?.stop());

/** The commands of docs/operations.md; the embedded database's run in its document. */
it.runIf(server && postgresBinaries())(
  "a dump of PostgreSQL, restored, has the numbers and goes on with the queue",
  async () => {
    const home = await emptyFolder();
    const open = (databaseUrl: string) => openDatabase({ home, databaseUrl }, "collapsar test");
    const program = (name: string) => join(postgresBinaries()!, name);
    const [url, restoredUrl] = [await freshDatabase(server!), await freshDatabase(server!)];

    const database = await open(url);
    const queue = await openQueue(database, console.error);
    const recorded = await evaluated(database, { values: { nc1: 0.1234567890123456 } });
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) ids.push((await queue.submit(submission())).evaluation.id);
    const begun: Task[] = [];
    const never = (task: Task, signal: AbortSignal) =>
      new Promise<void>((_, reject) => {
        begun.push(task);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    await queue.work(never, { concurrency: 1 }); // one runs when the dump is made, one waits
    await expect.poll(() => begun.length, { timeout: 20_000 }).toBe(1);
    const dump = join(home, "collapsar.dump");
    await run(program("pg_dump"), ["--format", "custom", "--file", dump, url]);
    await queue.stop({ graceful: false });
    await database.close();

    await run(program("pg_restore"), ["--exit-on-error", "--no-owner", "--dbname", restoredUrl, dump]);
    const restored = await open(restoredUrl);
    const again = await openQueue(restored, console.error);
    const { rows } = (await restored.orm.execute(
      "select evaluation_id, name, value from metric_values",
    )) as unknown as { rows: unknown[] };
    expect(rows).toMatchObject([{ evaluation_id: recorded.id, name: "nc1", value: 0.1234567890123456 }]);
    const done = new Set<string>();
    await again.work(async ({ evaluation }) => void done.add(evaluation), { concurrency: 1 });
    await expect.poll(() => [...done].sort(), { timeout: 50_000 }).toEqual(ids.sort());
    await again.stop({ graceful: true });
    await restored.close();
    await rm(home, { recursive: true });
  },
);
