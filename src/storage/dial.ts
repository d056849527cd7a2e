import { lookup } from "node:dns/promises";
import { Agent, buildConnector } from "undici";
import { CollapsarError } from "../errors.ts";
import { isInternalAddress, isNamed, isPublicAddress } from "./policy.ts";

const CONNECTION_TIMEOUT_MS = 10_000;
/** Without limits a silent peer would hold its caller for ever. */
const IDLE_TIMEOUT_MS = 60_000;

/** How a name becomes addresses, and how a connection to an address is made. */
export interface Network {
  /** Returns all IP addresses of a host. */
  resolve(host: string): Promise<readonly string[]>;
  /** Connects to `hostname`, an IP address; `servername` is the name the certificate must be of. */
  readonly connect: buildConnector.connector;
}

/** The network of this machine. */
export const MACHINE: Network = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  connect: buildConnector({ timeout: CONNECTION_TIMEOUT_MS }),
};

/**
 * Returns an agent that connects to public addresses alone. A host is resolved once per connection, and the connection
 * goes to an address of that answer, so that a name cannot mean another address when it is used than when it was checked.
 * A host of which any address is not public is refused whole, before a byte is sent. Hosts that `allowed` names one by one
 * may be internal.
 */
export function publicAgent({ resolve, connect }: Network, allowed: readonly string[] | null): Agent {
  return new Agent({
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
    connect(options, callback) {
      const named = isNamed(`${options.protocol}//${options.host}`, allowed);
      const host = options.hostname.replace(/^\[|\]$/g, "");
      checkedAddress(resolve, host, named ? isInternalAddress : isPublicAddress).then(
        (hostname) => connect({ ...options, hostname, servername: options.servername ?? options.hostname }, callback),
        (error: Error) => callback(error, null),
      );
    },
  });
}

async function checkedAddress(
  resolve: Network["resolve"],
  host: string,
  mayBe: (address: string) => boolean,
): Promise<string> {
  const addresses = await resolve(host).catch((cause) => {
    throw new CollapsarError("storage-unavailable", `the host ${host} cannot be resolved`, { cause });
  });
  const [first] = addresses;
  if (first !== undefined && addresses.every(mayBe)) return first;
  throw new CollapsarError("forbidden-url", `the host ${host} is not on the public internet`);
}
