import { afterAll } from "vitest";
import { describeService } from "../contract/service.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";

describeService("the embedded database", async () => null);

const server = await startPostgres();
if (server) {
  afterAll(() => server.stop());
  describeService("PostgreSQL", () => freshDatabase(server));
}
