import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** A DNS server on loopback, and what it was asked. */
export interface DnsServer {
  /** Asks it for the IPv4 addresses of a host. */
  resolve(host: string): Promise<string[]>;
  readonly questions: number;
  stop(): void;
}

/** Starts a DNS server that answers the n-th question (from 0), whatever it is, with the IPv4 addresses `answer(n)`. */
export async function startDns(answer: (n: number) => readonly string[]): Promise<DnsServer> {
  const socket = createSocket("udp4");
  let questions = 0;
  socket.on("message", (query, { port, address }) => {
    socket.send(reply(query, answer(questions++)), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);
  return {
    resolve: (host) => resolver.resolve4(host),
    get questions() {
      return questions;
    },
    stop: () => socket.close(),
  };
}

/** RFC 1035: the question again, then A records that may not be kept (TTL 0). */
function reply(query: Buffer, addresses: readonly string[]): Buffer {
  const end = query.indexOf(0, 12) + 5; // name, type, class
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  for (const [i, count] of [1, addresses.length, 0, 0].entries()) head.writeUInt16BE(count, 4 + 2 * i);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)]),
  );
  return Buffer.concat([head, query.subarray(12, end), ...records]);
}
