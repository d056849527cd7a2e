import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { CollapsarError } from "../errors.ts";
import { MIGRATIONS, type ServerDatabase } from "./database.ts";
import { connectionTo, openPool, withConnection } from "./pool.ts";
import { pingVia, unavailable } from "./unavailable.ts";

/** The schema has UNIQUE NULLS NOT DISTINCT. */
const OLDEST_POSTGRESQL = 15;
/** Arbitrary, but ours: whoever migrates this database holds the advisory lock of this number. */
const MIGRATION_LOCK = 2_209_083_781;

/**
 * Opens the PostgreSQL at `url` and brings its schema up to date.
 * @throws CollapsarError `database-unavailable` that names the server and the reason, never the password.
 */
export async function openServer(url: string): Promise<ServerDatabase> {
  const name = `PostgreSQL at ${withoutSecrets(url)}`;
  await applyMigrations(url).catch((error) => {
    throw unavailable(name, error);
  });
  const { orm, transact, close } = openPool(url);
  return { kind: "server", orm, transact, url, ping: pingVia(orm, name), announce() {}, close };
}

/** On one connection, whose end releases the lock whatever happens: drizzle's migrator takes none of its own. */
function applyMigrations(url: string): Promise<void> {
  return withConnection(connectionTo(url), async (client) => {
    const version = "select current_setting('server_version_num')::int / 10000 as major";
    const { major } = (await client.query<{ major: number }>(version)).rows[0]!;
    if (major < OLDEST_POSTGRESQL)
      throw new CollapsarError(
        "database-unavailable",
        `PostgreSQL at ${withoutSecrets(url)} is version ${major}, expected ${OLDEST_POSTGRESQL} or newer`,
        { retryable: false },
      );
    await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await migrate(drizzle({ client }), MIGRATIONS);
  });
}

/** Returns host, port and database of `url`. */
function withoutSecrets(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.host}${parsed.pathname}` : "DATABASE_URL";
}
