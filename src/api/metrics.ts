import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { Gauge, Registry } from "@prometheus-io/client";
import { countEvaluations } from "../database/counts.ts";
import type { Database } from "../database/database.ts";
import { backlogOf } from "../jobs/backlog.ts";
import { registry } from "../telemetry/instruments.ts";
import { inTime } from "./health.ts";

export const metrics = createRoute({
  method: "get",
  path: "/metrics",
  summary: "What is measured of this process and of the queue, for Prometheus",
  responses: {
    200: {
      description: "in Prometheus' text format; without the queue where the database does not answer",
      content: { "text/plain": { schema: z.string() } },
    },
  },
});

/**
 * Adds `/metrics`: of this process, and where `database` is given of what all processes share, which a restart leaves as
 * it is and every replica tells alike.
 */
export function metricsRoutes(app: OpenAPIHono, database?: Database): void {
  app.openapi(metrics, async (context) => {
    const all = database ? Registry.merge([registry, await registryOf(database)]) : registry;
    return context.text(await all.metrics(), 200, { "content-type": all.contentType });
  });
}

/** Returns what is in the database at this moment; whether it answers is one of the metrics. */
async function registryOf(database: Database): Promise<Registry> {
  const shared = new Registry();
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
    new Gauge({ name, help, labelNames, registers: [shared] });
  const up = gauge("collapsar_database_up", "Whether the database answers");
  const answer = await inTime(standingOf(database)).catch(() => null);
  up.set(answer ? 1 : 0);
  if (!answer) return shared;
  const { waiting, active, oldestSeconds, counts } = answer;
  const jobs = gauge("collapsar_queue_jobs", "Jobs that have not ended, of all workers; a shard is a job", ["state"]);
  jobs.set({ state: "waiting" }, waiting);
  jobs.set({ state: "active" }, active);
  gauge("collapsar_queue_oldest_waiting_seconds", "Age of the oldest job that waits; 0 where none does").set(
    oldestSeconds,
  );
  const evaluations = gauge(
    "collapsar_evaluations",
    "Evaluations in the database by status, those that failed also by the code of their error",
    ["status", "code"],
  );
  for (const { status, code, count } of counts) evaluations.set({ status, code }, count);
  return shared;
}

/** One question after the other: a scrape must not take connections from those who wait for an answer. */
async function standingOf(database: Database) {
  return { ...(await backlogOf(database)), counts: await countEvaluations(database) };
}
