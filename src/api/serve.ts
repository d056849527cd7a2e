import { once } from "node:events";
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

/** Evaluations at a time: the engine already uses all cores for one. */
const CONCURRENCY = 1;

/** A running service. */
export interface RunningService {
  /** Base URL. */
  readonly url: string;
  /** Takes no more requests, hands unfinished evaluations back to the queue, closes the database. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts the service: database, queue, a worker in this process unless told not to, and HTTP on `config.host:port`.
 * @throws CollapsarError `database-locked`, `database-unavailable`, `invalid-request` where the port is taken.
 */
export async function serve(
  config: Config,
  { worker = true, command = "collapsar serve" } = {},
): Promise<RunningService> {
  const database = await openDatabase(config, command);
  const storage = openStorage({ fileRoots: config.fileRoots });
  const sources = { storage, data: config.data };
  const queue = await openQueue(database, logFailure);
  const server = createAdaptorServer(createApp({ database, submit: submitterOf(queue, sources) }));
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    server.close();
    await queue.stop({ graceful: false });
    await database.close();
  };
  try {
    const parts = partStoreIn(config.store);
    const handler = handlerOf({ database, queue, sources, parts, onError: logFailure });
    if (worker) await queue.work(handler, { concurrency: CONCURRENCY });
    server.listen(config.port, config.host);
    await once(server, "listening");
  } catch (error) {
    await stop();
    throw asListenError(error, config);
  }
  const url = urlOf(server.address() as AddressInfo);
  database.announce(url);
  return {
    url,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
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
