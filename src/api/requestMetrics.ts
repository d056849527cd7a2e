import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { requestSeconds } from "../telemetry/instruments.ts";
import { spanning } from "../telemetry/tracing.ts";
import { PROBES } from "./requestLog.ts";

/** Methods of HTTP; any other that a caller makes up is `other`, so that nobody can add time series without end. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Counts and times every request, whatever comes of it, by the pattern of its path: what paths hold is without end. */
export const requestMetrics: MiddlewareHandler = async (context, next) => {
  const end = requestSeconds.startTimer();
  await next();
  end({ method: methodOf(context), route: routeOf(context), status: context.res.status });
};

/** Shows every request as a span, below that of a caller who sends `traceparent`. */
export const requestSpan: MiddlewareHandler = (context, next) => {
  if (PROBES.has(context.req.path)) return next();
  const method = methodOf(context);
  return spanning(
    {
      name: method,
      kind: "server",
      parent: context.req.header("traceparent"),
      attributes: { "http.request.method": method, "url.path": context.req.path },
      ended: () => {
        const { status } = context.res;
        const attributes = { "http.response.status_code": status, "http.route": routeOf(context) };
        return { name: `${method} ${routeOf(context)}`, attributes, failed: status >= 500 };
      },
    },
    next,
  );
};

function methodOf({ req }: Context): string {
  return METHODS.has(req.method) ? req.method : "other";
}

/** The last pattern that matched is the handler's, `/*` that of what all requests pass. */
function routeOf(context: Context): string {
  const route = routePath(context, -1);
  return route === "/*" || route === "*" ? "none" : route;
}
