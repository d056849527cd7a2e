import { OpenAPIHono } from "@hono/zod-openapi";
import type { Config } from "../config.ts";
import type { Database } from "../database/database.ts";
import { CollapsarError } from "../errors.ts";
import { authentication } from "./authentication.ts";
import { healthRoutes } from "./health.ts";
import { type Listener, listen } from "./listen.ts";
import { metricsRoutes } from "./metrics.ts";
import { problemResponse } from "./problem.ts";
import { requestLog } from "./requestLog.ts";

/**
 * Answers what watches a worker: `/healthz`, `/readyz` (not once `draining` is aborted) and `/metrics` of this process.
 * Tokens and `host` are as for the service.
 * @throws CollapsarError `unauthorized` where other machines could reach it without a token, `invalid-request`.
 */
export async function serveProbes(
  database: Database,
  address: Pick<Config, "host" | "port">,
  draining: AbortSignal,
): Promise<Listener> {
  const { middleware } = await authentication(database, address.host);
  const app = new OpenAPIHono();
  app.use(...requestLog, middleware);
  app.onError(problemResponse);
  app.notFound((context) =>
    problemResponse(new CollapsarError("not-found", `no such path: ${context.req.path}`), context),
  );
  healthRoutes(app, { database, draining });
  metricsRoutes(app);
  return listen(app, address);
}
