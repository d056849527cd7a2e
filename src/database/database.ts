import { fileURLToPath } from "node:url";
import type { PGlite } from "@electric-sql/pglite";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type { Statement } from "./prepared.ts";

/** Where statements run: the database, or a transaction in it. */
export interface Queries {
  readonly orm: PgDatabase<PgQueryResultHKT>;
}

/** What every open database can do. */
export interface OpenDatabase extends Queries {
  /**
   * Does the statements as one transaction, one after the other, and returns the rows of each; times are Dates or texts, as
   * the driver has it. All are sent at once: no parameter can depend on what another statement returns.
   */
  transact(statements: readonly Statement[]): Promise<readonly (readonly unknown[])[]>;
  /** @throws CollapsarError `database-unavailable` where it does not answer. */
  ping(): Promise<void>;
  /** Tells other processes under which base URL this one serves an embedded database. */
  announce(address: string): void;
  close(): Promise<void>;
}

/** PostgreSQL in this process, in one folder that no other process may open. */
export interface EmbeddedDatabase extends OpenDatabase {
  readonly kind: "embedded";
  readonly pglite: PGlite;
}

/** A PostgreSQL server, shared with any number of processes. */
export interface ServerDatabase extends OpenDatabase {
  readonly kind: "server";
  readonly url: string;
}

/** An open database with its schema up to date. */
export type Database = EmbeddedDatabase | ServerDatabase;

/** Names of columns in the database, from those in the schema; drizzle.config.ts says the same. */
export const CASING = "snake_case";

/** The generated SQL and its journal; beside `src` in a clone, beside `dist` in the package. */
export const MIGRATIONS = { migrationsFolder: fileURLToPath(new URL("../../migrations", import.meta.url)) };
