import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MIGRATIONS } from "./database.ts";
import { connectionTo, withConnection } from "./pool.ts";
import { unavailable } from "./unavailable.ts";

const CONNECT_TIMEOUT_MS = 5_000;

const SERVER = `select current_setting('server_version') as version,
  to_regclass('drizzle.__drizzle_migrations')::text as journal`;

/** What a look at a PostgreSQL tells, which changes nothing in it. */
export interface ServerInspection {
  readonly version: string;
  /** Migrations of this program that it lacks. */
  readonly pending: number;
}

/** Returns version and missing migrations of the PostgreSQL at `url`. @throws CollapsarError `database-unavailable`. */
export async function inspectServer(url: string): Promise<ServerInspection> {
  const look = withConnection(connectionTo(url, CONNECT_TIMEOUT_MS), async (client) => {
    const [server] = (await client.query<{ version: string; journal: string | null }>(SERVER)).rows;
    const [applied] = server!.journal
      ? (
          await client.query<{ last: string | null }>(
            "select max(created_at)::text as last from drizzle.__drizzle_migrations",
          )
        ).rows
      : [];
    const last = Number(applied?.last ?? 0);
    const { entries } = JSON.parse(await readFile(join(MIGRATIONS.migrationsFolder, "meta", "_journal.json"), "utf8"));
    const pending = (entries as { when: number }[]).filter(({ when }) => when > last).length;
    return { version: server!.version, pending };
  });
  return look.catch((error) => {
    throw unavailable("PostgreSQL of DATABASE_URL", error);
  });
}
