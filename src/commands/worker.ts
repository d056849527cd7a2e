import type { Command } from "commander";
import type { Listener } from "../api/listen.ts";
import type { serveProbes } from "../api/probes.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/database.ts";
import type { Queue } from "../jobs/queue.ts";
import { wholeNumber } from "./options.ts";
import type { OutputOptions } from "./output.ts";
import { untilToldToStop } from "./signals.ts";

interface Options extends OutputOptions {
  readonly concurrency: number;
  readonly untilEmpty?: boolean;
  readonly metricsPort?: number;
}

/** Defines `worker`: evaluates what is queued, without HTTP. */
export function define(command: Command): void {
  command
    .option("--concurrency <n>", "evaluations at a time", wholeNumber(1, 64), 1)
    .option("--until-empty", "end when no job is left, here or in another worker")
    .option("--metrics-port <port>", "serve /healthz, /readyz and /metrics on this port of HOST", wholeNumber(0, 65535))
    .action(async ({ concurrency, untilEmpty: endsWhenEmpty, metricsPort, quiet }: Options) => {
      const [{ readConfig }, { evaluatorInChildren }] = await Promise.all([
        import("../config.ts"),
        import("../jobs/process/children.ts"),
      ]);
      const config = readConfig();
      const evaluator = evaluatorInChildren(config);
      evaluator.warm(); // it loads what evaluates while this process opens the database
      const [{ log, logFailure }, { startTracing, stopTracing }] = await Promise.all([
        import("../logging.ts"),
        import("../telemetry/tracing.ts"),
      ]);
      if (quiet) log.level = "error";
      const [{ openDatabase }, { partStoreIn }, { handlerOf }, { untilEmpty }, { openQueue }] = await Promise.all([
        import("../database/open.ts"),
        import("../evaluation/shards/parts.ts"),
        import("../jobs/attempt.ts"),
        import("../jobs/backlog.ts"),
        import("../jobs/queue.ts"),
      ]);
      await startTracing(config);
      const database = await openDatabase(config, "collapsar worker");
      const queue = await openQueue(database, logFailure);
      const parts = partStoreIn(config.store);
      await deliverWebhooks(config, database, queue);
      const stopped = new AbortController();
      const { signal } = stopped;
      const probes =
        metricsPort === undefined ? null : await watched(database, { ...config, port: metricsPort }, signal);
      const told = untilToldToStop(); // before there is work that is to be handed back
      await queue.work(handlerOf({ database, queue, evaluator, parts, onError: logFailure }), { concurrency });
      log.info({ concurrency, ...(probes && { probes: probes.url }) }, "working");
      const emptied = endsWhenEmpty && untilEmpty(database, { signal, onError: logFailure }).then(() => "empty queue");
      const reason = await Promise.race([told, ...(emptied ? [emptied] : [])]);
      stopped.abort();
      log.info({ reason }, "stopping");
      await queue.stop({ graceful: true });
      await evaluator.close();
      await probes?.close();
      await stopTracing();
      await database.close();
    });
}

async function watched(...args: Parameters<typeof serveProbes>): Promise<Listener> {
  const { serveProbes } = await import("../api/probes.ts");
  return serveProbes(...args);
}

/** Without a secret, others tell the webhooks. */
async function deliverWebhooks(config: Config, database: Database, queue: Queue): Promise<void> {
  const { webhookSecrets: secrets, webhookAllowed: allowed } = config;
  if (secrets.length === 0) return;
  const [{ toResource }, { delivererOf, webhookSender }] = await Promise.all([
    import("../api/toResource.ts"),
    import("../jobs/webhook.ts"),
  ]);
  await queue.deliver(delivererOf(database, webhookSender({ secrets, allowed }), toResource));
}
