import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import { CollapsarError } from "../errors.ts";
import { invalidRequest } from "../evaluation/request.ts";
import { aggregateRoutes } from "./aggregate.ts";
import { compareRoutes } from "./compare.ts";
import { correlationRoutes } from "./correlations.ts";
import { dashboardRoutes } from "./dashboard.ts";
import { docsRoutes } from "./docs.ts";
import { evaluationListRoutes } from "./evaluationList.ts";
import { evaluationRoutes } from "./evaluations.ts";
import { eventRoutes } from "./events.ts";
import { experimentRoutes } from "./experiments.ts";
import { healthRoutes } from "./health.ts";
import { metricsRoutes } from "./metrics.ts";
import { notificationRoutes } from "./notifications.ts";
import { problemResponse } from "./problem.ts";
import { runRoutes } from "./runs.ts";
import type { Service } from "./service.ts";
import { tokenRoutes } from "./tokens.ts";

const MAX_BODY_BYTES = 1024 * 1024;

/** Of all that a browser might show of this service: nothing of other sites, no script within a page, in no frame. */
const HEADERS = {
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: "DENY",
};

const limitStream = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new CollapsarError("invalid-request", `the body is larger than ${MAX_BODY_BYTES} bytes`);
  },
});

/** Refuses a larger body. Where its length is told, no stream of it is made: that takes longer than to read it. */
const limitBody: MiddlewareHandler = (context, next) => {
  const length = context.req.header("content-length") ?? "";
  const isTold = /^\d+$/.test(length) && context.req.header("transfer-encoding") === undefined;
  return isTold && Number(length) <= MAX_BODY_BYTES ? next() : limitStream(context, next);
};

/**
 * Returns the HTTP API over `service`, apart from listening: `app.request("/runs")` works without a port. Every request
 * passes `middleware` first, such as log and authentication; without, whoever has the app may do everything.
 */
export function createApp(service: Service, middleware: readonly MiddlewareHandler[] = []): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });
  app.use(secureHeaders(HEADERS), ...middleware);
  app.use(limitBody);
  app.use((context, next) => {
    if (!context.req.url.includes("%00")) return next();
    throw new CollapsarError("invalid-request", "the URL holds a NUL (%00), which no name has");
  });
  app.onError(problemResponse);
  app.notFound((context) =>
    problemResponse(
      new CollapsarError("not-found", `no such path: ${context.req.method} ${context.req.path}`),
      context,
    ),
  );
  healthRoutes(app, service);
  metricsRoutes(app, service.database);
  evaluationRoutes(app, service);
  evaluationListRoutes(app, service);
  eventRoutes(app, service);
  runRoutes(app, service);
  experimentRoutes(app, service);
  aggregateRoutes(app, service);
  compareRoutes(app, service);
  correlationRoutes(app, service);
  tokenRoutes(app, service);
  dashboardRoutes(app);
  notificationRoutes(app, service);
  docsRoutes(app);
  return app;
}
