import type { MiddlewareHandler } from "hono";
import { type RequestIdVariables, requestId } from "hono/request-id";
import { log, logFailure, within } from "../logging.ts";

/** Asked every few seconds by whoever watches the service. */
export const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

/**
 * Logs one line per request, with its id, which is also on all other lines meanwhile. Of the URL it tells the path alone:
 * the query may hold what is secret. An unexpected failure is logged with its stack.
 */
const requestLine: MiddlewareHandler<{ Variables: RequestIdVariables }> = (context, next) =>
  within({ request: context.get("requestId") }, async () => {
    const begun = performance.now();
    await next();
    const { method, path } = context.req;
    const { status } = context.res;
    const milliseconds = Math.round(performance.now() - begun);
    if (status === 500) logFailure(context.error);
    log[PROBES.has(path) ? "debug" : "info"]({ method, path, status, milliseconds }, "request");
  });

/** Gives every request an id, its own `X-Request-Id` where that is well-formed, and logs it. */
export const requestLog: readonly MiddlewareHandler[] = [requestId(), requestLine];
