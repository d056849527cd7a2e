import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, describe, expect, it } from "vitest";
import { MIGRATIONS } from "../../src/database/database.ts";
import { openDatabase } from "../../src/database/open.ts";
import { databaseContract } from "../contract/database.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";
import { evaluated } from "./samples.ts";

const folder = mkdtempSync(join(tmpdir(), "collapsar-database-"));
const server = await startPostgres();
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const embedded = (home: string) => openDatabase({ home, databaseUrl: null }, "collapsar test");
const onServer = (databaseUrl: string) => openDatabase({ home: folder, databaseUrl }, "collapsar test");

databaseContract("the embedded database", () => embedded(join(folder, "not", "yet", "there")));

describe("the embedded database in its folder", () => {
  it("is there again when it is opened again, and belongs to one at a time", async () => {
    const home = join(folder, "home");
    const first = await embedded(home);
    first.announce("http://127.0.0.1:8080");
    const { id, values } = await evaluated(first);
    await expect(embedded(home)).rejects.toMatchObject({ code: "database-locked" });
    await expect(embedded(home)).rejects.toThrow(`${process.pid} (collapsar test)`);
    await expect(embedded(home)).rejects.toThrow("http://127.0.0.1:8080");
    await first.close();
    await first.close();
    await expect(first.ping()).rejects.toMatchObject({ code: "database-unavailable" });

    const second = await embedded(home);
    const result: unknown = await second.orm.execute(sql`select value from metric_values where evaluation_id = ${id}`);
    expect(result).toMatchObject({ rows: [{ value: values.nc1 }] });
    const settings: unknown = await second.orm.execute(sql`select current_setting('fsync') as fsync`);
    expect(settings).toMatchObject({ rows: [{ fsync: "on" }] });
    await second.close();
  });

  it("cannot be where a file is, and says so", async () => {
    const home = join(MIGRATIONS.migrationsFolder, "meta", "_journal.json");
    await expect(embedded(home)).rejects.toMatchObject({ code: "database-unavailable" });
    await expect(embedded(home)).rejects.toThrow(home);
  });
});

describe("a server that cannot be used", () => {
  it("is named without the password", async () => {
    const refused = onServer("postgres://someone:secret@127.0.0.1:1/nc?sslmode=disable");
    await expect(refused).rejects.toMatchObject({ code: "database-unavailable", retryable: true });
    const error = await refused.catch((reason: Error) => reason);
    expect(String(error)).toContain("PostgreSQL at 127.0.0.1:1/nc cannot be used: connect ECONNREFUSED");
    expect(String(error)).not.toMatch(/secret|someone/);
  });

  it("is not even a URL", async () => {
    const refused = onServer("postgres://someone:secret@[");
    await expect(refused).rejects.toMatchObject({ code: "database-unavailable" });
    await expect(refused).rejects.not.toThrow("secret");
  });
});

if (server) {
  databaseContract("PostgreSQL", async () => onServer(await freshDatabase(server)));

  describe("PostgreSQL", () => {
    it("is migrated once by five processes that start at the same moment", async () => {
      const url = await freshDatabase(server);
      const all = await Promise.all(Array.from({ length: 5 }, () => onServer(url)));
      const applied: unknown = await all[0]!.orm.execute(sql`select hash from drizzle.__drizzle_migrations`);
      expect((applied as { rows: unknown[] }).rows).toHaveLength(journal().length);
      await Promise.all(all.map((database) => database.close()));
    });

    it("that has no such database says so", async () => {
      const url = new URL(server.url);
      url.pathname = "/nowhere";
      await expect(onServer(url.href)).rejects.toThrow('nowhere cannot be used: database "nowhere" does not exist');
    });
  });
}

describe("the migrations", () => {
  it("are in order of time, for drizzle skips without a word what is older than the last applied", () => {
    const times = journal().map(({ when }) => when);
    expect(times.length).toBeGreaterThan(0);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

function journal(): { when: number }[] {
  return JSON.parse(readFileSync(join(MIGRATIONS.migrationsFolder, "meta", "_journal.json"), "utf8")).entries;
}
