import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freshDatabase, startPostgres } from "../test/servers/postgres.ts";
import { describeMachine } from "./machine.ts";

/** What a bench works with, and what is gone when it has ended. */
export interface Place {
  readonly folder: string;
  /** URL of an empty database. */
  readonly url: string;
}

/**
 * Has `measure` work with a PostgreSQL, `durable` (which syncs its commits) or not, and writes what it returns to `out`, with the
 * date and the machine. @throws Error where there is no PostgreSQL.
 */
export async function onPostgres(
  out: string,
  measure: (place: Place) => Promise<object>,
  { durable = false } = {},
): Promise<void> {
  const machine = describeMachine();
  console.error(`load ${machine.load.toFixed(1)} before the start: near 0 is a quiet machine`);
  const server = await startPostgres({ durable });
  if (!server) throw new Error("this bench needs PostgreSQL");
  const folder = mkdtempSync(join(tmpdir(), "collapsar-bench-"));
  try {
    const measured = await measure({ folder, url: await freshDatabase(server) });
    mkdirSync(dirname(out), { recursive: true });
    const result = { date: new Date().toISOString(), machine, ...measured };
    writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}
