import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { CollapsarError } from "../errors.ts";
import { invalidRequest } from "../evaluation/request.ts";
import { VERSION } from "../version.ts";
import { aggregateRoutes } from "./aggregate.ts";
import { compareRoutes } from "./compare.ts";
import { correlationRoutes } from "./correlations.ts";
import { evaluationRoutes } from "./evaluations.ts";
import { healthRoutes } from "./health.ts";
import { problemResponse } from "./problem.ts";
import { runRoutes } from "./runs.ts";
import type { Service } from "./service.ts";

const MAX_BODY_BYTES = 1024 * 1024;

/** Returns the HTTP API over `service`, apart from listening: `app.request("/runs")` works without a port. */
export function createApp(service: Service): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new CollapsarError("invalid-request", `the body is larger than ${MAX_BODY_BYTES} bytes`);
      },
    }),
  );
  app.onError(problemResponse);
  app.notFound((context) =>
    problemResponse(
      new CollapsarError("not-found", `no such path: ${context.req.method} ${context.req.path}`),
      context,
    ),
  );
  healthRoutes(app, service);
  evaluationRoutes(app, service);
  runRoutes(app, service);
  aggregateRoutes(app, service);
  compareRoutes(app, service);
  correlationRoutes(app, service);
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: { title: "Collapsar", version: VERSION, description: "Neural-collapse evaluation of stored checkpoints" },
  });
  return app;
}
