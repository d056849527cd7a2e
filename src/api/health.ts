import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";

const answer = z.object({ status: z.literal("ok") });

const healthz = createRoute({
  method: "get",
  path: "/healthz",
  summary: "The process answers",
  responses: { 200: jsonAnswer(answer, "alive") },
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  summary: "The database answers too",
  responses: { 200: jsonAnswer(answer, "ready"), 503: problemAnswer },
});

/** Adds `/healthz` and `/readyz`. */
export function healthRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(healthz, (context) => context.json({ status: "ok" as const }, 200));
  app.openapi(readyz, async (context) => {
    await database.ping();
    return context.json({ status: "ok" as const }, 200);
  });
}
