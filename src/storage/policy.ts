import ipaddr from "ipaddr.js";
import { CollapsarError } from "../errors.ts";
import { redactUrl } from "./url.ts";

/** Schemes there are a storage for. */
export const SCHEMES = ["file", "s3", "https"] as const;

/**
 * Requires that one of `allowed`, the entries of the environment variable `variable`, covers `url`; null covers everything.
 * @throws CollapsarError `forbidden-url`.
 */
export function requireAllowed(url: string, allowed: readonly string[] | null, variable = "COLLAPSAR_ALLOW"): void {
  if (!allowed) return;
  const parsed = URL.parse(url);
  if (parsed && allowed.some((entry) => covers(entry, parsed))) return;
  throw new CollapsarError("forbidden-url", `"${redactUrl(url)}" is not among what ${variable} lets this service use`);
}

function covers(entry: string, { protocol, host }: URL): boolean {
  const [scheme, name] = entry.toLowerCase().split("//") as [string, string | undefined];
  if (scheme !== protocol) return false;
  if (name === undefined) return true;
  const asked = host.toLowerCase();
  return name.startsWith("*.") ? asked.endsWith(name.slice(1)) : asked === name;
}

/** Returns whether `allowed` names the host of `origin` (`https://host:port`) itself, not all of a scheme or domain. */
export function isNamed(origin: string, allowed: readonly string[] | null): boolean {
  return allowed?.some((entry) => entry.toLowerCase() === origin.toLowerCase()) ?? false;
}

/**
 * Returns whether `address`, an IP address in any form, is of the public internet: not private, loopback, link-local
 * (cloud metadata lives there), multicast, reserved, nor an IPv6 form that leads to an IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast" || METADATA.has(parsed.toString())) return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_IPV6);
}

/**
 * Returns whether `address`, an IP address in any form, may be that of a host which the operator has named: public, or of an
 * internal network or this machine, but never a service of the cloud that tells secrets.
 */
export function isInternalAddress(address: string): boolean {
  if (isPublicAddress(address)) return true;
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return INTERNAL.has(parsed.range()) && !METADATA.has(parsed.toString());
}

const INTERNAL: ReadonlySet<string> = new Set(["private", "loopback", "uniqueLocal", "carrierGradeNat"]);

/** All of IPv6 that is handed out. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** Services of clouds at addresses that are not link-local: those of Azure, Alibaba, AWS, Google. */
const METADATA: ReadonlySet<string> = new Set(["168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254"]);
