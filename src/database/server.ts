import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { CollapsarError } from "../errors.ts";
import { CASING, MIGRATIONS, type ServerDatabase } from "./database.ts";
import { pingVia, unavailable } from "./unavailable.ts";

/** The schema has UNIQUE NULLS NOT DISTINCT. */
const OLDEST_POSTGRESQL = 15;
/** Arbitrary, but ours: whoever migrates this database holds the advisory lock of this number. */
const MIGRATION_LOCK = 2_209_083_781;
const CONNECT_TIMEOUT_S = 10;
/** A connection that failed is tried again after so long at most; by default each waits up to 20 s, also where the server is back. */
const LONGEST_BACKOFF_S = 1;
/** What has not been answered when a client is closed has so long; without a limit it waits for a server that is away. */
const CLOSE_TIMEOUT_S = 5;

/**
 * Opens the PostgreSQL at `url` and brings its schema up to date.
 * @throws CollapsarError `database-unavailable` that names the server and the reason, never the password.
 */
export async function openServer(url: string): Promise<ServerDatabase> {
  const name = `PostgreSQL at ${withoutSecrets(url)}`;
  await applyMigrations(url).catch((error) => {
    throw unavailable(name, error);
  });
  const client = connect(url);
  const orm = drizzle({ client, casing: CASING });
  return {
    kind: "server",
    orm,
    url,
    ping: pingVia(orm, name),
    announce() {},
    close: () => client.end({ timeout: CLOSE_TIMEOUT_S }),
  };
}

/** On one connection, whose end releases the lock whatever happens: drizzle's migrator takes none of its own. */
async function applyMigrations(url: string): Promise<void> {
  const client = connect(url, { max: 1 });
  try {
    const [{ major }] = await client<
      [{ major: number }]
    >`select current_setting('server_version_num')::int / 10000 as major`;
    if (major < OLDEST_POSTGRESQL)
      throw new CollapsarError(
        "database-unavailable",
        `PostgreSQL at ${withoutSecrets(url)} is version ${major}, expected ${OLDEST_POSTGRESQL} or newer`,
        { retryable: false },
      );
    await client`select pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle({ client }), MIGRATIONS);
  } finally {
    await client.end({ timeout: CLOSE_TIMEOUT_S });
  }
}

function connect(url: string, options: postgres.Options<Record<string, never>> = {}) {
  return postgres(url, {
    connect_timeout: CONNECT_TIMEOUT_S,
    backoff: (failures) => Math.min(3 ** failures / 100, LONGEST_BACKOFF_S) * (0.5 + Math.random() / 2),
    connection: { application_name: "collapsar" },
    onnotice() {}, // "already exists, skipping" of the migrator
    ...options,
  });
}

/** Returns host, port and database of `url`. */
function withoutSecrets(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.host}${parsed.pathname}` : "DATABASE_URL";
}
