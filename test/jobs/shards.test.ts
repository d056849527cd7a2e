import { rmSync } from "node:fs";
import { afterAll } from "vitest";
import { emptyFolder } from "../api/samples.ts";
import { shardsContract } from "../contract/shards.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";

const [home, server] = await Promise.all([emptyFolder(), startPostgres()]);
afterAll(async () => {
  await server?.stop();
  rmSync(home, { recursive: true });
});

shardsContract("the embedded database", async () => ({ home, databaseUrl: null }));
if (server) shardsContract("PostgreSQL", async () => ({ home, databaseUrl: await freshDatabase(server) }));
