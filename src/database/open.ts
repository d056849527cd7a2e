import type { Config } from "../config.ts";
import type { Database } from "./database.ts";

/**
 * Opens the database of `config` with its schema up to date: the PostgreSQL of `databaseUrl`, else the embedded one in
 * `home`, for this process alone; `command` is what others are told that this process runs.
 * @throws CollapsarError `database-locked` that names the process that has it, `database-unavailable`.
 */
export async function openDatabase(config: Pick<Config, "home" | "databaseUrl">, command: string): Promise<Database> {
  if (config.databaseUrl) {
    const { openServer } = await import("./server.ts");
    return openServer(config.databaseUrl);
  }
  const { openEmbedded } = await import("./embedded.ts");
  return openEmbedded(config.home, command);
}
