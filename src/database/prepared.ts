import { createHash } from "node:crypto";
import type { Queries } from "./database.ts";

/** A statement with `$1`, `$2`, … for its parameters, of a text that stays the same: every connection keeps it prepared. */
export interface Statement {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** The names under which connections know the texts. */
const names = new Map<string, string>();

/** Returns the name under which a connection keeps a statement of this text. */
export function preparedName(text: string): string {
  const name = names.get(text) ?? createHash("sha256").update(text).digest("hex").slice(0, 32);
  names.set(text, name);
  return name;
}

/**
 * Returns the rows of the statement, keys as the database names them. Each connection plans it once: to plan takes three
 * times as long as to run the short ones that many ask for.
 */
export async function executePrepared({ orm }: Queries, { text, parameters }: Statement): Promise<readonly unknown[]> {
  const query = orm._.session.prepareQuery(
    { sql: text, params: [...parameters] },
    undefined,
    preparedName(text),
    false,
  );
  return ((await query.execute()) as { rows: unknown[] }).rows; // its type is the driver's
}
