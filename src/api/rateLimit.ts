import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, MiddlewareHandler } from "hono";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { CollapsarError } from "../errors.ts";

/** How a request is known after authentication: by the digest of its token, where it needed one. */
interface Caller {
  readonly Variables: { readonly caller?: string };
}

/** Returns what refuses more than `perMinute` requests a minute of one token, or of one address without; 0 refuses none. */
export function rateLimit(perMinute: number): MiddlewareHandler<Caller>[] {
  if (perMinute === 0) return [];
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return [
    async (context, next) => {
      await limiter.consume(context.get("caller") ?? addressOf(context)).catch((refused) => {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        context.header("Retry-After", String(Math.ceil(refused.msBeforeNext / 1000)));
        throw new CollapsarError(
          "rate-limited",
          `more than ${perMinute} requests in a minute (COLLAPSAR_RATE_LIMIT): wait as Retry-After says`,
        );
      });
      await next();
    },
  ];
}

/** Returns the IP address that a request comes from, which may be that of a proxy. */
export function addressOf(context: Context): string {
  return getConnInfo(context).remote.address ?? "";
}
