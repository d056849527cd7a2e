import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import { CASING, type OpenDatabase } from "./database.ts";
import { preparedName } from "./prepared.ts";
import { asDatabaseError, askingDatabase } from "./unavailable.ts";

const CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * What a statement may sort in memory, where the server allows less: a metric over 31,500 evaluations needs 6 MB, and with the
 * 4 MB of PostgreSQL's default it goes through a file, which takes 100 ms instead of 65.
 */
const ENOUGH_MEMORY = `select set_config('work_mem', '16MB', false)
  where pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('16MB')`;

/** To compile a plan takes 100 ms, ten times what the ones take that PostgreSQL thinks too expensive: recursive ones (`newestOfRuns`). */
const NO_COMPILER = "set jit = off";

/** How to reach the PostgreSQL at `url`. */
export function connectionTo(url: string, timeout = CONNECT_TIMEOUT_MS): pg.ClientConfig {
  return { connectionString: url, connectionTimeoutMillis: timeout, application_name: "collapsar", keepAlive: true };
}

/** Returns what `use` returns of a connection of its own, whose end releases whatever it holds. */
export async function withConnection<T>(config: pg.ClientConfig, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(config);
  client.on("error", ignore);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}

/** A pool of connections, and statements on it. */
export interface Pool {
  readonly orm: NodePgDatabase;
  readonly transact: OpenDatabase["transact"];
  /** Returns when what was asked has been answered, and all connections are closed. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens a pool. A connection that is lost fails what is asked on it and no more, with `database-unavailable` (the cause of
 * what drizzle throws): the next question has another one. The pool of postgres.js (3.4.9) ends the process where one is lost
 * in a transaction.
 */
export function openPool(url: string): Pool {
  const pool = new pg.Pool({
    ...connectionTo(url),
    max: CONNECTIONS,
    idleTimeoutMillis: 0,
    pipeline: true,
    onConnect: (client) => client.query(`${NO_COMPILER}; ${ENOUGH_MEMORY}`),
  });
  const ofConnection = new WeakMap<pg.PoolClient, NodePgDatabase>();
  // whoever waits for an answer hears of it; an error that nobody listens for would end the process
  pool.on("error", ignore);
  pool.on("connect", (client) => {
    client.on("error", ignore);
    ofConnection.set(client, drizzle({ client: typed(client), casing: CASING }));
  });
  const orm: NodePgDatabase = drizzle({ client: typed(pool), casing: CASING });
  // drizzle's own does not give the connection back where it cannot even begin
  orm.transaction = async (work, config) => {
    const client = await askingDatabase(pool.connect());
    try {
      return await ofConnection.get(client)!.transaction(work, config);
    } finally {
      client.release();
    }
  };
  /** To wait for the answer to each statement before the next is sent takes half as long again. */
  async function transact(statements: Parameters<Pool["transact"]>[0]): Promise<readonly (readonly unknown[])[]> {
    const named = statements.map(({ text, parameters }) => ({
      name: preparedName(text),
      text,
      values: [...parameters],
    }));
    const client = await askingDatabase(pool.connect());
    try {
      const answers = await Promise.allSettled(
        inOneWrite(client, () => [
          client.query("begin"),
          ...named.map((statement) => client.query<object>(statement)),
          client.query("commit"), // of a transaction that failed it is a rollback
        ]),
      );
      const failed = answers.find(({ status }) => status === "rejected"); // those after it failed because of it
      if (failed?.status === "rejected") throw asDatabaseError(failed.reason);
      return answers.slice(1, -1).map((answer) => (answer.status === "fulfilled" ? answer.value.rows : []));
    } finally {
      client.release(client.getTransactionStatus() !== "I"); // one that did not get to its end is not used again
    }
  }

  let closing: Promise<void> | undefined;
  return {
    orm,
    transact,
    close() {
      closing ??= pool.end();
      return closing;
    },
  };
}

/** Returns what `ask` returns, after what it sends was sent: to write each statement by itself wakes the server for each. */
function inOneWrite<T>(client: pg.PoolClient, ask: () => T): T {
  const { stream } = (client as unknown as pg.Client).connection;
  stream.cork();
  try {
    return ask();
  } finally {
    stream.uncork();
  }
}

/** Returns `client` with a `query` whose promise is rejected as that of `askingDatabase`. */
function typed<T extends pg.Pool | pg.PoolClient>(client: T): T {
  const ask = client.query.bind(client) as (...question: unknown[]) => Promise<unknown>;
  const query = (...question: unknown[]) => askingDatabase(ask(...question));
  return Object.assign(Object.create(client), { query });
}

function ignore(): void {}
