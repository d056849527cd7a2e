import { Command } from "commander";
import { readConfig } from "../config.ts";
import { log, logFailure } from "../logging.ts";
import { openStorage } from "../storage/open.ts";
import { wholeNumber } from "./options.ts";
import { untilToldToStop } from "./signals.ts";

interface Options {
  readonly concurrency: number;
  readonly untilEmpty: boolean;
}

/** Returns the command `worker`: evaluates what is queued, without HTTP. */
export function workerCommand(): Command {
  return new Command("worker")
    .description("Evaluate what is queued in the database, beside other workers and services.")
    .option("--concurrency <n>", "evaluations at a time", wholeNumber(1, 64), 1)
    .option("--until-empty", "end when no job is left, here or in another worker", false)
    .action(async ({ concurrency, untilEmpty: endsWhenEmpty }: Options) => {
      const [{ openDatabase }, { partStoreIn }, { handlerOf }, { untilEmpty }, { openQueue }] = await Promise.all([
        import("../database/open.ts"),
        import("../evaluation/shards/parts.ts"),
        import("../jobs/attempt.ts"),
        import("../jobs/backlog.ts"),
        import("../jobs/queue.ts"),
      ]);
      const config = readConfig();
      const database = await openDatabase(config, "collapsar worker");
      const storage = openStorage(config);
      const queue = await openQueue(database, logFailure);
      const sources = { storage, data: config.data };
      const parts = partStoreIn(config.store);
      await queue.work(handlerOf({ database, queue, sources, parts, onError: logFailure }), { concurrency });
      log.info({ concurrency }, "working");
      const stopped = new AbortController();
      const { signal } = stopped;
      const emptied = endsWhenEmpty && untilEmpty(database, { signal, onError: logFailure }).then(() => "empty queue");
      const reason = await Promise.race([untilToldToStop(), ...(emptied ? [emptied] : [])]);
      stopped.abort();
      log.info({ reason }, "stopping");
      await queue.stop({ graceful: true });
      await database.close();
    });
}
