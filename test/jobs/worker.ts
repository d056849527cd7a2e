import { startEvaluation } from "../../src/database/evaluations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { recordEvaluation } from "../../src/database/record.ts";
import { openQueue } from "../../src/jobs/queue.ts";
import { outcome } from "../database/samples.ts";

// A worker to be killed: `worker.ts hang|die|record HOME [DATABASE_URL]`.
const [mode, home, databaseUrl = null] = process.argv.slice(2);
const database = await openDatabase({ home: home!, databaseUrl }, "collapsar worker");
const queue = await openQueue(database, console.error, mode === "die" ? { backOff: { retryDelay: 0 } } : {});
await queue.work(
  async ({ evaluation: id }) => {
    const evaluation = await startEvaluation(database, id);
    console.log(`attempt ${evaluation?.attempts} at ${id}`);
    if (mode === "die") process.kill(process.pid, "SIGKILL");
    if (mode === "hang") await new Promise(() => {});
    await recordEvaluation(database, id, outcome());
    console.log(`recorded ${id}`);
  },
  { concurrency: 1 },
);
process.once("SIGTERM", async () => {
  await queue.stop({ graceful: true });
  await database.close();
});
