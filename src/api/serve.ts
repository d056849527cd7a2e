import type { Config } from "../config.ts";
import { openDatabase } from "../database/open.ts";
import { partStoreIn } from "../evaluation/shards/parts.ts";
import { handlerOf } from "../jobs/attempt.ts";
import { foundRules } from "../jobs/found.ts";
import { evaluatorInChildren } from "../jobs/process/children.ts";
import { openQueue } from "../jobs/queue.ts";
import { submitterOf } from "../jobs/submit.ts";
import { sweep } from "../jobs/sweep.ts";
import { delivererOf, webhookSender } from "../jobs/webhook.ts";
import { logFailure } from "../logging.ts";
import { openStorage } from "../storage/open.ts";
import { createApp } from "./app.ts";
import { authentication } from "./authentication.ts";
import { type Listener, listen } from "./listen.ts";
import { rateLimit } from "./rateLimit.ts";
import { requestLog } from "./requestLog.ts";
import { requestMetrics, requestSpan } from "./requestMetrics.ts";
import type { Service } from "./service.ts";
import { toResource } from "./toResource.ts";

/** Evaluations at a time: the engine already uses all cores for one. */
const CONCURRENCY = 1;

/** A running service. */
export interface RunningService {
  /** Base URL. */
  readonly url: string;
  /** Whether no token exists, so that everything on this machine may use it. */
  readonly open: boolean;
  /** Answers a request of this process, which needs no token. */
  request(path: string, init?: RequestInit): Response | Promise<Response>;
  /**
   * Is not ready any more, hands unfinished evaluations back to the queue, lets requests under way end, closes the
   * database. Idempotent.
   */
  stop(): Promise<void>;
}

/**
 * Starts the service: database, queue, a worker in this process unless told not to, and HTTP on `config.host:port`.
 * @throws CollapsarError `database-locked`, `database-unavailable`, `invalid-request` where the port is taken,
 *   `unauthorized` where other machines could reach it without a token.
 */
export async function serve(
  config: Config,
  { worker = true, command = "collapsar serve" } = {},
): Promise<RunningService> {
  const parts = partStoreIn(config.store);
  const found = foundRules(config.foundRequest, parts.folder);
  const database = await openDatabase(config, command);
  const storage = openStorage(config);
  const sources = { storage, data: config.data, cache: config.cache };
  const tellsWebhooks = config.webhookSecrets.length > 0;
  const queue = await openQueue(database, logFailure, { listens: worker || tellsWebhooks });
  const evaluator = evaluatorInChildren(config);
  const draining = new AbortController();
  const webhooks = webhookSender({ secrets: config.webhookSecrets, allowed: config.webhookAllowed });
  const submit = submitterOf(queue, sources, webhooks);
  const service: Service = { database, queue, storage, submit, found, draining: draining.signal };
  let local: ReturnType<typeof createApp> | undefined;
  let listener: Listener | undefined;
  let stopping: Promise<void> | undefined;
  let sweeping: Promise<void> | undefined;
  const stop = async () => {
    draining.abort();
    await sweeping;
    await queue.stop({ graceful: false });
    await evaluator.close();
    await listener?.close();
    await database.close();
  };
  try {
    const { open, middleware } = await authentication(database, config.host);
    const limits = rateLimit(config.rateLimit);
    const app = createApp(service, [requestMetrics, requestSpan, ...requestLog, middleware, ...limits]);
    const handler = handlerOf({ database, queue, evaluator, parts, onError: logFailure });
    if (worker) await queue.work(handler, { concurrency: CONCURRENCY });
    if (tellsWebhooks) await queue.deliver(delivererOf(database, webhooks, toResource));
    listener = await listen(app, config);
    const { url } = listener;
    database.announce(url);
    if (config.sweep.length > 0)
      sweeping = sweep({ database, storage, submit }, config.sweep, config.sweepSeconds, found, draining.signal);
    return {
      url,
      open,
      request: (path, init) => {
        local ??= createApp(service);
        return local.request(path, init);
      },
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
