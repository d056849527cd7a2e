import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { migrate as migratePglite } from "drizzle-orm/pglite/migrator";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MIGRATIONS } from "../../src/database/database.ts";
import { openDatabase } from "../../src/database/open.ts";
import { emptyFolder } from "../api/samples.ts";
import { runProgram, startProgram, stopProgram } from "../commands/program.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { unsafeStatements } from "./unsafe.ts";

interface Journal {
  readonly entries: readonly { readonly tag: string }[];
}

const FOLDER = MIGRATIONS.migrationsFolder;
const journal: Journal = JSON.parse(await readFile(join(FOLDER, "meta", "_journal.json"), "utf8"));
const TAGS = journal.entries.map(({ tag }) => tag);

/** What a release writes that knows the first schema alone, and so what every older database may hold. */
const ROWS = (key: string) => `
  insert into runs (id, experiment, "group", seed, labels) values ('${key}', 'old', 'ce', 7, '{"by": "me"}');
  insert into checkpoints (run_id, epoch, sha256, url, size) values ('${key}', 3, 'sha ${key}', 's3://b/c', 5000000000);
  insert into evaluations (id, status, request, request_key, checkpoint_url, checkpoint_etag, checkpoint_size,
    checkpoint_id, protocol, protocol_parts, finished_at)
    select '${key}', 'succeeded', '{"checkpoint": "s3://b/c"}', 'key ${key}', 's3://b/c', 'etag', 5000000000, id, 'p',
      '{"dataset": {"name": "digits", "digest": "d"}}', now() from checkpoints where run_id = '${key}';
  insert into evaluations (id, request, request_key, checkpoint_url, checkpoint_etag, checkpoint_size)
    values ('${key} waiting', '{"checkpoint": "s3://b/d"}', 'key 2 ${key}', 's3://b/d', 'etag', 1);
  insert into metric_values values ('${key}', 'nc1', 0.1234567890123456);`;
const TABLES = ["runs", "checkpoints", "evaluations", "metric_values"];

const server = await startPostgres();
let home: string;
beforeAll(async () => {
  home = await emptyFolder();
});
afterAll(async () => {
  await server?.stop();
  await rm(home, { recursive: true });
});

/** Returns the folder of the first `count` migrations: those of an earlier state of this program. */
async function first(count: number): Promise<{ migrationsFolder: string }> {
  const migrationsFolder = join(home, `migrations-${count}`);
  await mkdir(join(migrationsFolder, "meta"), { recursive: true });
  for (const tag of TAGS.slice(0, count)) await cp(join(FOLDER, `${tag}.sql`), join(migrationsFolder, `${tag}.sql`));
  const cut = { ...journal, entries: journal.entries.slice(0, count) };
  await writeFile(join(migrationsFolder, "meta", "_journal.json"), JSON.stringify(cut));
  return { migrationsFolder };
}

describe("a migration", () => {
  it.each(TAGS)("%s leaves older releases what they need", async (tag) => {
    const unsafe = unsafeStatements(await readFile(join(FOLDER, `${tag}.sql`), "utf8"));
    // 0004 came before the first release: it cut the queries out of the URLs that were recorded with them
    expect(unsafe.filter((reason) => !(tag.startsWith("0004_") && reason.includes('UPDATE "evaluations"')))).toEqual(
      [],
    );
  });

  it.each([
    'DROP TABLE "runs"',
    'ALTER TABLE "runs" DROP COLUMN "seed"',
    'ALTER TABLE "runs" RENAME COLUMN "seed" TO "random"',
    'ALTER TABLE "runs" ALTER COLUMN "seed" SET NOT NULL',
    'ALTER TABLE "runs" ALTER COLUMN "seed" SET DATA TYPE text',
    'ALTER TABLE "runs" ADD COLUMN "owner" text NOT NULL',
    'ALTER TABLE "runs" ADD CONSTRAINT "positive" CHECK ("seed" > 0)',
    'CREATE UNIQUE INDEX "once" ON "runs" USING btree ("seed")',
    'UPDATE "runs" SET "seed" = 0 WHERE "seed" IS NULL',
    'DELETE FROM "runs"',
  ])("is refused with: %s", (statement) => {
    expect(unsafeStatements(`CREATE TABLE "more" ("id" text);--> statement-breakpoint\n${statement};`)).toHaveLength(1);
    const marked = `-- contract: unused since 0.3\n${statement};`;
    expect(unsafeStatements(marked)).toEqual([]);
  });

  it.each([
    'ALTER TABLE "runs" ADD COLUMN "owner" text;UPDATE "runs" SET "owner" = \'me\' WHERE true',
    'ALTER TABLE "runs" ADD COLUMN "owner" text DEFAULT \'\' NOT NULL',
    'CREATE TABLE "more" ("id" text NOT NULL);ALTER TABLE "more" ADD CONSTRAINT "a" UNIQUE("id")',
    'DROP INDEX "slow"',
  ])("may say: %s", (statement) => {
    expect(unsafeStatements(statement)).toEqual([]);
  });
});

describe.runIf(server)("a PostgreSQL", () => {
  it.each(TAGS.slice(0, -1).map((tag, index) => [tag, index + 1] as const))(
    "of the time of %s keeps its rows, and takes those of releases of that time afterwards",
    async (_, count) => {
      const url = await freshDatabase(server!);
      const client = postgres(url, { max: 1, onnotice() {} });
      await migrate(drizzle({ client }), await first(count));
      await client.unsafe(ROWS("before"));
      const rowsOf = async (table: string) => [...(await client.unsafe(`select * from ${table} order by 1`))];
      const before = await Promise.all(TABLES.map(rowsOf));

      const database = await openDatabase({ home, databaseUrl: url }, "collapsar test");
      const after = await Promise.all(TABLES.map(rowsOf));
      for (const [index, rows] of before.entries()) expect(after[index]).toMatchObject(rows);
      expect(after[2]![0]).toMatchObject({ dataset: "digits", generation: 0, webhooks: [] });

      await client.unsafe(ROWS("later")); // by a worker that was not replaced yet
      await migrate(drizzle({ client }), await first(count)); // which may even start again
      expect(await rowsOf("metric_values")).toHaveLength(2);
      // run and epoch are those of the checkpoint, whoever wrote the evaluation and when
      expect(await client`select id, run_id, epoch from evaluations order by id`).toEqual([
        { id: "before", run_id: "before", epoch: "3" },
        { id: "before waiting", run_id: null, epoch: null },
        { id: "later", run_id: "later", epoch: "3" },
        { id: "later waiting", run_id: null, epoch: null },
      ]);
      await database.close();
      await client.end();
    },
  );

  it("is migrated once by processes that start at the same moment, of whatever command", async () => {
    const env = { DATABASE_URL: await freshDatabase(server!), COLLAPSAR_HOME: home };
    const commands = [["migrate"], ["migrate"], ["migrate"], ["worker", "--until-empty"], ["token", "list"]];
    const ended = await Promise.all(commands.map((args) => runProgram(home, env, ...args)));
    expect(ended.map(({ code, stderr }) => [code, code === 0 ? "" : stderr])).toEqual(commands.map(() => [0, ""]));
    const client = postgres(env.DATABASE_URL, { max: 1 });
    expect(await client`select hash from drizzle.__drizzle_migrations`).toHaveLength(TAGS.length);
    await client.end();
  });

  it("that somebody migrates makes a worker wait, and lets it go on then", async () => {
    const env = { ...process.env, DATABASE_URL: await freshDatabase(server!), COLLAPSAR_HOME: home };
    const client = postgres(env.DATABASE_URL, { max: 1, onnotice() {} });
    await client`select pg_advisory_lock(2209083781)`; // of src/database/server.ts
    let working = false;
    const started = startProgram(home, env, "worker");
    started.then(
      () => {
        working = true;
      },
      () => {},
    );
    const waiting = async () => {
      const rows = await client`select 1 from pg_locks where locktype = 'advisory' and not granted`;
      return rows.length;
    };
    await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
    expect(working).toBe(false);
    await client`select pg_advisory_unlock(2209083781)`;
    expect(await stopProgram(await started)).toBe(0);
    await client.end();
  });
});

it("an embedded database of the first state keeps its rows", async () => {
  const old = join(home, "old");
  await mkdir(join(old, "database"), { recursive: true });
  const pglite = await PGlite.create(join(old, "database"));
  await migratePglite(drizzlePglite({ client: pglite }), await first(1));
  await pglite.exec(ROWS("before"));
  await pglite.close();
  const database = await openDatabase({ home: old, databaseUrl: null }, "collapsar test");
  const { rows } = (await database.orm.execute("select name, value from metric_values")) as unknown as {
    rows: unknown;
  };
  await database.close();
  expect(rows).toEqual([{ name: "nc1", value: 0.1234567890123456 }]);
});
