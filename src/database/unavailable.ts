import { sql } from "drizzle-orm";
import { CollapsarError } from "../errors.ts";
import type { Queries } from "./database.ts";

/** Returns `database-unavailable` for the database called `name`; an error that is ours already stays as it is. */
export function unavailable(name: string, error: unknown): CollapsarError {
  if (error instanceof CollapsarError) return error;
  return new CollapsarError("database-unavailable", `${name} cannot be used: ${reasonOf(error)}`, { cause: error });
}

/** PostgreSQL's own: connection lost (08…), being stopped or not ready yet (57P0…), no connection left (53300). */
const AWAY_STATES = /^(08...|57P0[123]|53300)$/;
/** Of the driver and the network. */
const AWAY_CODES =
  /^(CONNECTION_|CONNECT_TIMEOUT$|ECONN|EPIPE$|ETIMEDOUT$|EHOSTUNREACH$|ENETUNREACH$|ENOTFOUND$|EAI_AGAIN$)/;

/** What the driver and pg-boss say without a code. */
const AWAY_MESSAGES =
  /^(Connection terminated|timeout (expired$|exceeded when trying to connect)|Client (was closed|has encountered)|Cannot use a pool|LISTEN\/NOTIFY (connection|heartbeat|channel))/;

/**
 * Returns `database-unavailable` where `error`, as the driver or pg-boss throws it, says that the database could not be
 * reached; else `error` itself.
 */
export function asDatabaseError(error: unknown): unknown {
  if (error instanceof CollapsarError || typeof error !== "object" || error === null) return error;
  const { code, message } = error as { code?: unknown; message?: unknown }; // pg-boss's are not all instances of Error
  const reason = [String(code ?? ""), String(message ?? "")].find((text) =>
    [AWAY_STATES, AWAY_CODES, AWAY_MESSAGES].some((away) => away.test(text)),
  );
  if (reason === undefined) return error;
  return new CollapsarError("database-unavailable", `the database cannot be used: ${reason}`, { cause: error });
}

/** Returns what `asking` returns. @throws what it throws as `asDatabaseError` says. */
export async function askingDatabase<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    throw asDatabaseError(error);
  }
}

/** Returns a function that asks the database called `name` for an answer. */
export function pingVia(orm: Queries["orm"], name: string): () => Promise<void> {
  return async () => {
    try {
      await orm.execute(sql`select 1`);
    } catch (error) {
      throw unavailable(name, error);
    }
  };
}

/** drizzle and Node wrap the error that tells the reason: a failed query, an attempt on each address of a host. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (error instanceof Error) return error.cause ? reasonOf(error.cause) : error.message;
  const { errno } = (error ?? {}) as { errno?: number };
  return WASI_ERRORS[errno ?? 0] ?? String(error);
}

/** What PGlite's file system throws is no Error, and says a number of WASI's only. */
const WASI_ERRORS: Readonly<Record<number, string>> = {
  2: "permission denied",
  29: "input/output error",
  51: "no space left on device",
  69: "read-only file system",
};
