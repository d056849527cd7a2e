import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Config } from "../config.ts";
import { CollapsarError } from "../errors.ts";

/** Of the head and the whole of a request, so that whoever sends slowly or without end holds nothing for long. */
const LIMITS = { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 60_000 };

/** With the 10 s that an evaluation has to heed its signal, within the 30 s that Kubernetes gives a pod to end. */
const REQUEST_GRACE_MS = 5_000;

/** An app that answers over HTTP. */
export interface Listener {
  /** Base URL. */
  readonly url: string;
  /** Takes no more requests; those under way have REQUEST_GRACE_MS to end. */
  close(): Promise<void>;
}

/**
 * Lets `app` answer on `host:port`.
 * @throws CollapsarError `invalid-request` where it cannot listen there.
 */
export async function listen(
  { fetch }: Pick<OpenAPIHono, "fetch">,
  { host, port }: Pick<Config, "host" | "port">,
): Promise<Listener> {
  const server = createAdaptorServer({ fetch, serverOptions: LIMITS }) as Server;
  server.listen(port, host);
  await once(server, "listening").catch((error) => {
    throw asListenError(error, host, port);
  });
  return { url: urlOf(server.address() as AddressInfo), close: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  const patience = setTimeout(() => server.closeAllConnections(), REQUEST_GRACE_MS);
  await closed;
  clearTimeout(patience);
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function asListenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE" && code !== "EADDRNOTAVAIL" && code !== "EACCES") return error;
  return new CollapsarError(
    "invalid-request",
    `cannot listen on ${host}:${port} (${code}): choose another port or HOST`,
  );
}
