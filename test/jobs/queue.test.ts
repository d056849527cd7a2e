import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/database/open.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { queueContract } from "../contract/queue.ts";
import { fresh, submission } from "../database/samples.ts";
import { freshDatabase, startPostgres } from "../servers/postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "collapsar-queue-"));
const server = await startPostgres();
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

queueContract("the embedded database", async () => ({ home: join(folder, fresh("home")), databaseUrl: null }));

if (server) {
  queueContract("PostgreSQL", async () => ({ home: folder, databaseUrl: await freshDatabase(server) }));

  describe("the queue on PostgreSQL", () => {
    it("is made once by five processes that start at the same moment, and shared", async () => {
      const databaseUrl = await freshDatabase(server);
      const services = await Promise.all(
        Array.from({ length: 5 }, async () => {
          const database = await openDatabase({ home: folder, databaseUrl }, "collapsar test");
          return { database, queue: await openQueue(database, console.error) };
        }),
      );
      const sent = submission();
      const answers = await Promise.all(services.map(({ queue }) => queue.submit(sent)));
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
      expect(await services[0]!.queue.depth()).toEqual({ queued: 1, running: 0 });
      for (const { database, queue } of services) {
        await queue.stop({ graceful: true });
        await database.close();
      }
    });
  });
}
