import { type ConstructorOptions, type Db, fromPglite, type SendOptions } from "pg-boss";
import type { Database, Queries } from "../database/database.ts";
import { executePrepared, type Statement } from "../database/prepared.ts";

/** Of the queue on a server; the workers and the service hold their own pool besides. */
const SERVER_CONNECTIONS = 4;
/**
 * A worker on a server that is silent for this long is taken for dead. Numerics do not keep it silent, they are another
 * process's; a machine that swaps may, for some seconds. With a look every SUPERVISE_SECONDS, the back-off and the poll it is
 * short enough that the job runs again within 30 s.
 */
const HEARTBEAT_SECONDS = 15;
const SUPERVISE_SECONDS = 4;

/** How pg-boss reaches the database, and the options of jobs there. */
interface Backend {
  readonly connection: ConstructorOptions;
  readonly job: SendOptions;
}

/** Returns what of the queue depends on where `database` is: on the embedded one, where nobody else works, no heartbeat. */
export function backendOf(database: Database): Backend {
  if (database.kind === "embedded") {
    return { connection: { backend: "pglite", db: fromPglite(database.pglite) }, job: {} };
  }
  return {
    connection: {
      connectionString: database.url,
      max: SERVER_CONNECTIONS,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
    },
    job: { heartbeatSeconds: HEARTBEAT_SECONDS },
  };
}

/** Returns where pg-boss is to run a statement, for it to be of the transaction of `queries`. */
export function transactionOf(queries: Queries): Db {
  const execute = async (text: string, parameters: readonly unknown[] = []) => ({
    rows: [...(await executePrepared(queries, { text, parameters }))],
  });
  return { executeSql: execute };
}

/** Returns the one statement that `work` of pg-boss asks of the database it is given, and which nobody has done then. */
export async function statementOf(work: (db: Db) => Promise<unknown>): Promise<Statement> {
  const asked: Statement[] = [];
  await work({
    async executeSql(text, parameters = []) {
      asked.push({ text, parameters });
      return { rows: [] };
    },
  });
  const [statement] = asked;
  if (!statement || asked.length > 1) throw new Error(`pg-boss asked for ${asked.length} statements, expected one`);
  return statement;
}
