import type { Context, MiddlewareHandler } from "hono";
import ipaddr from "ipaddr.js";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Queries } from "../database/database.ts";
import { SCOPES, type Scope } from "../database/scopes.ts";
import { scopesByDigest, tokenDigest } from "../database/tokens.ts";
import { CollapsarError } from "../errors.ts";
import { isDashboard } from "./dashboard.ts";
import { addressOf } from "./rateLimit.ts";

/** What anybody may read besides the dashboard: it tells nothing about runs, and probes and generators of clients show no token. */
const PUBLIC: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/openapi.json", "/docs", "/docs/style.css"]);

/** A token that another process revoked is refused after this time at the latest. */
const TRUST_MS = 1000;

/** Wrong tokens from one address in a minute; a right one is never refused for them. */
const FAILURES_PER_MINUTE = 600;

/** Who may use a service. */
export interface Authentication {
  /** Whether no token exists, so that all of this machine may. */
  readonly open: boolean;
  readonly middleware: MiddlewareHandler;
}

/**
 * Returns what lets the requests to a service on `host` through: those with a token whose scope allows them. Where no
 * token exists, everything on this machine may come, as long as none is made.
 * @throws CollapsarError `unauthorized` where no token exists and others than this machine reach `host`.
 */
export async function authentication(database: Queries, host: string): Promise<Authentication> {
  const tokens = cached(() => scopesByDigest(database));
  const failures = new RateLimiterMemory({ points: FAILURES_PER_MINUTE, duration: 60 });
  let open = (await tokens.get()).size === 0;
  if (open && !isLoopback(host)) throw noToken(host);
  const atStart = open;

  async function scopeOf(token: string | undefined): Promise<Scope | undefined> {
    if (token === undefined) return undefined;
    const digest = tokenDigest(token);
    return (await tokens.get()).get(digest) ?? (await tokens.renew()).get(digest); // it may be a new one
  }

  const middleware: MiddlewareHandler = async (context, next) => {
    if (isPublic(context)) return next();
    // once there is a token, the service stays closed, even when the last one is revoked
    open &&= (await tokens.get()).size === 0;
    if (open) requireOwnPage(context);
    else await requireScope(context, scopeOf, failures);
    await next();
    if (context.req.path.startsWith("/tokens")) await tokens.renew();
  };
  return { open: atStart, middleware };
}

function isPublic({ req }: Context): boolean {
  return (req.method === "GET" || req.method === "HEAD") && (PUBLIC.has(req.path) || isDashboard(req.path));
}

/** Returns the scope that a request needs: whatever is neither known to read nor to submit is for administrators. */
function neededScope({ req: { method, path } }: Context): Scope {
  if (/^\/tokens(\/|$)/.test(path)) return "admin";
  if (method === "GET" || method === "HEAD") return "read";
  return method === "POST" ? "submit" : "admin";
}

async function requireScope(
  context: Context,
  scopeOf: (token: string | undefined) => Promise<Scope | undefined>,
  failures: RateLimiterMemory,
): Promise<void> {
  const token = /^Bearer +(\S+)\s*$/i.exec(context.req.header("authorization") ?? "")?.[1];
  const scope = await scopeOf(token);
  const needed = neededScope(context);
  if (scope === undefined) {
    await failures.consume(addressOf(context)).catch(() => {
      context.header("Retry-After", "60");
      throw new CollapsarError("rate-limited", "too many requests with a wrong token came from this address");
    });
    context.header("WWW-Authenticate", `Bearer realm="collapsar"${token ? ', error="invalid_token"' : ""}`);
    const what = token ? "the token is not known (any more)" : "a token is needed";
    throw new CollapsarError(
      "unauthorized",
      `${what}: expected Authorization: Bearer TOKEN; the command line takes it from COLLAPSAR_TOKEN`,
    );
  }
  context.set("caller", tokenDigest(token!));
  if (SCOPES.indexOf(scope) >= SCOPES.indexOf(needed)) return;
  context.header("WWW-Authenticate", `Bearer realm="collapsar", error="insufficient_scope", scope="${needed}"`);
  throw new CollapsarError("forbidden", `the token's scope is ${scope}, expected ${needed}`);
}

/**
 * A service without tokens trusts this machine, not the pages its browser shows: these are known by the site they say
 * they are of, and by a Host that is a name of theirs which leads here (DNS rebinding).
 */
function requireOwnPage(context: Context): void {
  const site = context.req.header("sec-fetch-site") ?? "none";
  const { hostname } = new URL(context.req.url);
  if ((site === "none" || site === "same-origin") && isLoopback(hostname.replace(/^\[|\]$/g, ""))) return;
  throw new CollapsarError(
    "forbidden",
    `a service without tokens answers this machine alone, not pages of other sites nor the name ${hostname}`,
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || (ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback");
}

function noToken(host: string): CollapsarError {
  return new CollapsarError(
    "unauthorized",
    `HOST ${host} is open to other machines, and no token exists: make one (collapsar token create NAME --scope admin), or serve this machine alone (HOST 127.0.0.1)`,
  );
}

/** Returns what `load` answered less than `TRUST_MS` ago, or anew; who comes while it loads waits for the same answer. */
function cached<T>(load: () => Promise<T>): { get(): Promise<T>; renew(): Promise<T> } {
  let latest: Promise<T> | undefined;
  let loading: Promise<T> | undefined;
  let loadedAt = 0;
  const renew = () => {
    loading ??= load().finally(() => {
      loading = undefined;
      loadedAt = performance.now();
    });
    latest = loading;
    latest.catch(() => {
      latest = undefined;
    });
    return loading;
  };
  return { renew, get: () => (latest && performance.now() - loadedAt < TRUST_MS ? latest : renew()) };
}
