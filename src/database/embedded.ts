import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { migrate } from "drizzle-orm/pglite/migrator";
import { CASING, type EmbeddedDatabase, MIGRATIONS } from "./database.ts";
import { acquireLock } from "./lock.ts";
import { executePrepared } from "./prepared.ts";
import { pingVia, unavailable } from "./unavailable.ts";

/**
 * Opens PGlite in `home`/database for this process alone, which runs `command`.
 * @throws CollapsarError `database-locked`, `database-unavailable`.
 */
export async function openEmbedded(home: string, command: string): Promise<EmbeddedDatabase> {
  const folder = join(home, "database");
  const name = `the embedded database in ${folder}`;
  const lock = acquireLock(home, command);
  try {
    mkdirSync(folder, { recursive: true });
    const pglite = await openDurably(folder);
    const orm = drizzle({ client: pglite, casing: CASING });
    await migrate(orm, MIGRATIONS);
    return {
      kind: "embedded",
      orm,
      pglite,
      transact: (statements) =>
        orm.transaction(async (transaction) => {
          const rows: (readonly unknown[])[] = [];
          for (const statement of statements) rows.push(await executePrepared({ orm: transaction }, statement));
          return rows;
        }),
      ping: pingVia(orm, name),
      announce: lock.announce,
      async close() {
        if (!pglite.closed) await pglite.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw unavailable(name, error);
  }
}

/**
 * PGlite starts with fsync off, and where it is on, its file system has no fsync and its fdatasync does nothing (0.5.16;
 * strace shows not one call). So the write-ahead log is synced by fsync, and fsync is given to the file system: 0.5 ms a
 * commit. Buffers of 16 MB instead of 128 save 150 MB of resident memory; our pages all fit.
 */
const SETTINGS = ["wal_sync_method=fsync", "shared_buffers=16MB"].flatMap((setting) => ["-c", setting]);

async function openDurably(folder: string): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  const { DurableFileSystem } = await import("./durableFileSystem.ts");
  const startParams = PGlite.defaultStartParams.filter((parameter) => parameter !== "-F");
  return PGlite.create({ fs: new DurableFileSystem(folder), startParams: [...startParams, ...SETTINGS] });
}
