import { readFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { MIGRATIONS } from "./database.ts";
import { unavailable } from "./unavailable.ts";

const CONNECT_TIMEOUT_S = 5;

/** What a look at a PostgreSQL tells, which changes nothing in it. */
export interface ServerInspection {
  readonly version: string;
  /** Migrations of this program that it lacks. */
  readonly pending: number;
}

/** Returns version and missing migrations of the PostgreSQL at `url`. @throws CollapsarError `database-unavailable`. */
export async function inspectServer(url: string): Promise<ServerInspection> {
  const client = postgres(url, { max: 1, connect_timeout: CONNECT_TIMEOUT_S, onnotice() {} });
  try {
    const [server] = await client<
      [{ version: string; journal: string | null }]
    >`select current_setting('server_version') as version, to_regclass('drizzle.__drizzle_migrations')::text as journal`;
    const [applied] = server.journal
      ? await client<[{ last: string | null }]>`select max(created_at)::text as last from drizzle.__drizzle_migrations`
      : [{ last: null }];
    const last = Number(applied.last ?? 0);
    const { entries } = JSON.parse(await readFile(join(MIGRATIONS.migrationsFolder, "meta", "_journal.json"), "utf8"));
    const pending = (entries as { when: number }[]).filter(({ when }) => when > last).length;
    return { version: server.version, pending };
  } catch (error) {
    throw unavailable("PostgreSQL of DATABASE_URL", error);
  } finally {
    await client.end({ timeout: 1 });
  }
}
