import { Command } from "commander";
import { readConfig } from "../config.ts";
import { log, logFailure } from "../logging.ts";
import { openStorage } from "../storage/open.ts";
import { wholeNumber } from "./options.ts";
import { untilToldToStop } from "./signals.ts";

/** Returns the command `worker`: evaluates what is queued, without HTTP. */
export function workerCommand(): Command {
  return new Command("worker")
    .description("Evaluate what is queued in the database, beside other workers and services.")
    .option("--concurrency <n>", "evaluations at a time", wholeNumber(1, 64), 1)
    .action(async ({ concurrency }: { concurrency: number }) => {
      const [{ openDatabase }, { partStoreIn }, { handlerOf }, { openQueue }] = await Promise.all([
        import("../database/open.ts"),
        import("../evaluation/shards/parts.ts"),
        import("../jobs/attempt.ts"),
        import("../jobs/queue.ts"),
      ]);
      const config = readConfig();
      const database = await openDatabase(config, "collapsar worker");
      const storage = openStorage({ fileRoots: config.fileRoots });
      const queue = await openQueue(database, logFailure);
      const sources = { storage, data: config.data };
      const parts = partStoreIn(config.store);
      await queue.work(handlerOf({ database, queue, sources, parts, onError: logFailure }), { concurrency });
      log.info({ concurrency }, "working");
      const signal = await untilToldToStop();
      log.info({ signal }, "stopping");
      await queue.stop({ graceful: true });
      await database.close();
    });
}
