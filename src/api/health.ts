import { setTimeout as sleep } from "node:timers/promises";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { CollapsarError } from "../errors.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";

/** A database that is away may hold a connection open for long; whoever asks waits 1 s by default (Kubernetes) or 5 s. */
const READY_WITHIN_MS = 900;

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
  summary: "The database answers too, and the service is not about to stop",
  responses: { 200: jsonAnswer(answer, "ready"), 503: problemAnswer },
});

/** Adds `/healthz` and `/readyz`. */
export function healthRoutes(app: OpenAPIHono, { database, draining }: Service): void {
  app.openapi(healthz, (context) => context.json({ status: "ok" as const }, 200));
  app.openapi(readyz, async (context) => {
    if (draining?.aborted) throw new CollapsarError("stopping", "the service is about to stop");
    await Promise.race([database.ping(), deadline(READY_WITHIN_MS)]);
    return context.json({ status: "ok" as const }, 200);
  });
}

async function deadline(milliseconds: number): Promise<never> {
  await sleep(milliseconds, undefined, { ref: false });
  throw new CollapsarError("database-unavailable", `the database has not answered within ${milliseconds} ms`);
}
