import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { type CheckpointMetrics, runMetrics } from "../database/runMetrics.ts";
import { deleteRun, getRun, labelRun, listRuns, type Run } from "../database/runs.ts";
import { labelChangesSchema } from "../evaluation/request.ts";
import { METRICS } from "../metrics/names.ts";
import { type RunMetrics, runListSchema, runMetricsSchema, runResourceSchema } from "./contract.ts";
import { type Cell, csvResponse } from "./csv.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";

/** Items of a page, of every list. */
export const DEFAULT_PAGE = 100;
export const MAX_PAGE = 1000;

const runPatchSchema = z.strictObject({
  labels: labelChangesSchema.describe("null removes a label; what is not named stays"),
});

const params = z.object({ id: z.string() });

export const list = createRoute({
  method: "get",
  path: "/runs",
  summary: "Runs, in order of id",
  request: {
    query: z.object({
      experiment: z.string().optional(),
      group: z.string().optional(),
      q: z.string().optional().openapi({ description: "a part of id, group, experiment or labels" }),
      cursor: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
    }),
  },
  responses: { 200: jsonAnswer(runListSchema, "a page of runs"), 400: problemAnswer },
});

export const get = createRoute({
  method: "get",
  path: "/runs/{id}",
  summary: "One run",
  request: { params },
  responses: { 200: jsonAnswer(runResourceSchema, "the run"), 404: problemAnswer },
});

export const patch = createRoute({
  method: "patch",
  path: "/runs/{id}",
  summary: "Change the labels of a run",
  request: { params, body: { required: true, content: { "application/json": { schema: runPatchSchema } } } },
  responses: {
    200: jsonAnswer(runResourceSchema, "the run"),
    400: problemAnswer,
    404: problemAnswer,
    415: problemAnswer,
  },
});

export const remove = createRoute({
  method: "delete",
  path: "/runs/{id}",
  summary: "Forget a run with its checkpoints, their evaluations and metrics; the stored files stay",
  request: { params },
  responses: { 204: { description: "it is forgotten" }, 404: problemAnswer },
});

export const metrics = createRoute({
  method: "get",
  path: "/runs/{id}/metrics",
  summary: "Every evaluated checkpoint of a run, in order of epoch",
  request: {
    params,
    query: z.object({
      format: z.enum(["json", "csv"]).default("json"),
      latest: z.enum(["", "true", "false"]).default("false").openapi({ description: "only the last epoch" }),
    }),
  },
  responses: {
    200: {
      description: "the numbers",
      content: { "application/json": { schema: runMetricsSchema }, "text/csv": { schema: z.string() } },
    },
    400: problemAnswer,
    404: problemAnswer,
  },
});

/** Adds `GET /runs`, `/runs/:id` (`PATCH`, `DELETE`) and `/runs/:id/metrics`. */
export function runRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(list, async (context) => {
    const { items, next } = await listRuns(database, context.req.valid("query"));
    return context.json({ items: items.map(toResource), next }, 200);
  });
  app.openapi(get, async (context) =>
    context.json(toResource(await getRun(database, context.req.valid("param").id)), 200),
  );
  app.openapi(patch, async (context) => {
    const { id } = context.req.valid("param");
    await labelRun(database, id, context.req.valid("json").labels);
    return context.json(toResource(await getRun(database, id)), 200);
  });
  app.openapi(remove, async (context) => {
    await deleteRun(database, context.req.valid("param").id);
    return context.body(null, 204);
  });
  app.openapi(metrics, async (context) => {
    const { id } = context.req.valid("param");
    const { format, latest } = context.req.valid("query");
    const rows = await runMetrics(database, id, { latest: latest !== "false" });
    const answer: RunMetrics = { run: id, metrics: rows.map(toMetrics) };
    return format === "csv" ? csvResponse(context, ...toCsv(answer)) : context.json(answer, 200);
  });
}

function toResource({ createdAt, updatedAt, ...run }: Run) {
  return { ...run, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

function toMetrics({ evaluation, checkpoint, sha256, epoch, dataset, protocol, values }: CheckpointMetrics) {
  return { evaluation, checkpoint: { url: checkpoint, sha256 }, epoch, dataset, protocol, values };
}

/** Returns the columns and rows of a run's metrics: the known metrics in their own order, then any other. */
function toCsv({ run, metrics: rows }: RunMetrics): [columns: string[], rows: Cell[][]] {
  const present = new Set(rows.flatMap(({ values }) => Object.keys(values)));
  const names = [...new Set([...Object.keys(METRICS), ...present])].filter((name) => present.has(name));
  const cells = rows.map(({ epoch, dataset, checkpoint, evaluation, protocol, values }) => [
    ...[run, epoch, dataset, checkpoint.url, checkpoint.sha256, evaluation, protocol],
    ...names.map((name) => values[name] ?? null),
  ]);
  return [["run", "epoch", "dataset", "checkpoint", "sha256", "evaluation", "protocol", ...names], cells];
}
