import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { listEvaluations } from "../database/listEvaluations.ts";
import { evaluationStatus } from "../database/schema.ts";
import { redactUrl } from "../storage/url.ts";
import { evaluationListSchema, evaluationSchema } from "./contract.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import { DEFAULT_PAGE, MAX_PAGE } from "./runs.ts";
import type { Service } from "./service.ts";
import { toResource, toSummary } from "./toResource.ts";

export const list = createRoute({
  method: "get",
  path: "/evaluations",
  summary: "Evaluations without their numbers, newest first",
  request: {
    query: z.object({
      status: z.enum(evaluationStatus.enumValues).optional(),
      run: z.string().optional(),
      experiment: z.string().optional(),
      checkpoint: z.string().optional().openapi({ description: "URL" }),
      dataset: z.string().optional().openapi({ description: "name of the training set" }),
      cursor: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
    }),
  },
  responses: { 200: jsonAnswer(evaluationListSchema, "a page of evaluations"), 400: problemAnswer },
});

const params = z.object({ id: z.string() });

export const cancel = createRoute({
  method: "post",
  path: "/evaluations/{id}/cancel",
  summary: "Cancel an evaluation; a worker that is at it stops",
  request: { params },
  responses: {
    200: jsonAnswer(evaluationSchema, "it is cancelled, now or before"),
    404: problemAnswer,
    409: problemAnswer,
  },
});

export const retry = createRoute({
  method: "post",
  path: "/evaluations/{id}/retry",
  summary: "Queue again an evaluation that failed or was cancelled",
  request: { params },
  responses: { 202: jsonAnswer(evaluationSchema, "it is queued"), 404: problemAnswer, 409: problemAnswer },
});

/** Adds `GET /evaluations`, `POST /evaluations/:id/cancel` and `/evaluations/:id/retry`. */
export function evaluationListRoutes(app: OpenAPIHono, { database, queue }: Service): void {
  app.openapi(list, async (context) => {
    const { checkpoint, ...filter } = context.req.valid("query");
    const { items, next } = await listEvaluations(database, {
      ...filter,
      checkpoint: checkpoint && redactUrl(checkpoint), // it is known without its query
    });
    return context.json({ items: items.map(toSummary), next }, 200);
  });
  app.openapi(cancel, async (context) =>
    context.json(toResource(await queue.cancel(context.req.valid("param").id)), 200),
  );
  app.openapi(retry, async (context) => {
    const evaluation = await queue.retry(context.req.valid("param").id);
    context.header("Location", `/evaluations/${evaluation.id}`);
    return context.json(toResource(evaluation), 202);
  });
}
