import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that came in, with its whole body. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks on loopback. */
export interface Receiver {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly received: Received[];
  stop(): void;
}

/** Starts a receiver that answers as `answer` says; default 204. */
export async function startReceiver(
  answer: (request: Received, response: ServerResponse) => void = (_, response) => void response.writeHead(204).end(),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const one = { path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() };
    received.push(one);
    answer(one, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
