import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Config } from "../config.ts";
import { openDatabase } from "../database/open.ts";
import { CollapsarError } from "../errors.ts";
import { partStoreIn } from "../evaluation/shards/parts.ts";
import { handlerOf } from "../jobs/attempt.ts";
import { openQueue } from "../jobs/queue.ts";
import { submitterOf } from "../jobs/submit.ts";
import { logFailure } from "../logging.ts";
import { openStorage } from "../storage/open.ts";
import { createApp } from "./app.ts";
import { authentication } from "./authentication.ts";
import { requestLog } from "./requestLog.ts";
import type { Service } from "./service.ts";

/** Evaluations at a time: the engine already uses all cores for one. */
const CONCURRENCY = 1;

/** Of the head and the whole of a request, so that whoever sends slowly or without end holds nothing for long. */
const LIMITS = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 60_000 };

/** With the 10 s that an evaluation has to heed its signal, within the 30 s that Kubernetes gives a pod to end. */
const REQUEST_GRACE_MS = 5_000;

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
  const database = await openDatabase(config, command);
  const storage = openStorage(config);
  const sources = { storage, data: config.data };
  const queue = await openQueue(database, logFailure);
  const draining = new AbortController();
  const service: Service = { database, queue, storage, submit: submitterOf(queue, sources), draining: draining.signal };
  let local: ReturnType<typeof createApp> | undefined;
  let server: Server | undefined;
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    draining.abort();
    await queue.stop({ graceful: false });
    await closeServer(server);
    await database.close();
  };
  try {
    const { open, middleware } = await authentication(database, config.host);
    const { fetch } = createApp(service, [...requestLog, middleware]);
    server = createAdaptorServer({ fetch, serverOptions: LIMITS }) as Server;
    const parts = partStoreIn(config.store);
    const handler = handlerOf({ database, queue, sources, parts, onError: logFailure });
    if (worker) await queue.work(handler, { concurrency: CONCURRENCY });
    server.listen(config.port, config.host);
    await once(server, "listening");
    const url = urlOf(server.address() as AddressInfo);
    database.announce(url);
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
    throw asListenError(error, config);
  }
}

/** Takes no more requests; those under way have REQUEST_GRACE_MS to end. */
async function closeServer(server: Server | undefined): Promise<void> {
  if (!server?.listening) return;
  const closed = once(server, "close");
  server.close();
  const patience = setTimeout(() => server.closeAllConnections(), REQUEST_GRACE_MS);
  await closed;
  clearTimeout(patience);
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function asListenError(error: unknown, { host, port }: Config): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE" && code !== "EADDRNOTAVAIL" && code !== "EACCES") return error;
  return new CollapsarError(
    "invalid-request",
    `cannot listen on ${host}:${port} (${code}): choose another --port or HOST`,
  );
}
