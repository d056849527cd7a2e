import { setTimeout as sleep } from "node:timers/promises";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { CollapsarError } from "../errors.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";

/** A database that is away may hold a connection open for long; whoever asks waits 1 s by default (Kubernetes) or 5 s. */
const READY_WITHIN_MS = 900;

const answer = z.object({ status: z.literal("ok") });

export const healthz = createRoute({
  method: "get",
  path: "/healthz",
  summary: "The process answers",
  responses: { 200: jsonAnswer(answer, "alive") },
});

export const readyz = createRoute({
  method: "get",
  path: "/readyz",
  summary: "The database answers too, and the service is not about to stop",
  responses: { 200: jsonAnswer(answer, "ready"), 503: problemAnswer },
});

/** Adds `/healthz` and `/readyz`. */
export function healthRoutes(app: OpenAPIHono, { database, draining }: Pick<Service, "database" | "draining">): void {
  app.openapi(healthz, (context) => context.json({ status: "ok" as const }, 200));
  app.openapi(readyz, async (context) => {
    if (draining?.aborted) throw new CollapsarError("stopping", "the service is about to stop");
    await inTime(database.ping());
    return context.json({ status: "ok" as const }, 200);
  });
}

/** Returns what the database answers. @throws CollapsarError `database-unavailable` where it takes longer than probes wait. */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  const patience = new AbortController();
  try {
    return await Promise.race([answer, deadline(patience.signal)]);
  } finally {
    patience.abort();
  }
}

async function deadline(signal: AbortSignal): Promise<never> {
  await sleep(READY_WITHIN_MS, undefined, { ref: false, signal });
  throw new CollapsarError("database-unavailable", `the database has not answered within ${READY_WITHIN_MS} ms`);
}
