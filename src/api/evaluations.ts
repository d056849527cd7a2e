import { setTimeout as sleep } from "node:timers/promises";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Database } from "../database/database.ts";
import { type Evaluation, getDetails, getEvaluation } from "../database/evaluations.ts";
import { isUnfinished } from "../database/states.ts";
import { CollapsarError } from "../errors.ts";
import { parseSubmission, submissionSchema } from "../evaluation/request.ts";
import { isGlob } from "../storage/glob.ts";
import { evaluationSchema, submissionsSchema } from "./contract.ts";
import { detailsSchema, type EvaluationDetails } from "./detailsSchema.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";
import { submitAll } from "./submitAll.ts";
import { toResource } from "./toResource.ts";

const MAX_WAIT_SECONDS = 600;
const POLL_MILLISECONDS = 100;

export const submit = createRoute({
  method: "post",
  path: "/evaluate",
  summary: "Evaluate a checkpoint, or several alike",
  request: {
    headers: z.object({ prefer: z.string().optional().openapi({ example: "wait=30" }) }),
    body: { content: { "application/json": { schema: submissionSchema } } },
  },
  responses: {
    200: jsonAnswer(evaluationSchema, "it has ended (already, or within the seconds of Prefer: wait)"),
    202: jsonAnswer(
      z.union([evaluationSchema, submissionsSchema]),
      "it is queued or running; Location tells where to look. Of a list or a pattern: what became of each",
    ),
    400: problemAnswer,
    403: problemAnswer,
    415: problemAnswer,
    422: problemAnswer,
    503: problemAnswer,
  },
});

export const get = createRoute({
  method: "get",
  path: "/evaluations/{id}",
  summary: "One evaluation",
  request: { params: z.object({ id: z.string() }) },
  responses: { 200: jsonAnswer(evaluationSchema, "the evaluation"), 404: problemAnswer },
});

export const details = createRoute({
  method: "get",
  path: "/evaluations/{id}/details",
  summary: "What of an evaluation is no single number: curves, reliability bins, cosine matrices",
  request: { params: z.object({ id: z.string() }) },
  responses: {
    200: jsonAnswer(detailsSchema, "by part; one that was not taken, or not yet when it was evaluated, is left out"),
    404: problemAnswer,
  },
});

/** Adds `POST /evaluate`, `GET /evaluations/:id` and `GET /evaluations/:id/details`. */
export function evaluationRoutes(app: OpenAPIHono, service: Service): void {
  const { database } = service;
  // not as `app.openapi`, which would read and check the body once more, and cannot say what was expected
  app.openAPIRegistry.registerPath(submit);
  app.post(submit.path, async (context) => {
    requireJson(context);
    const { checkpoint, ...asked } = parseSubmission(await readJson(context));
    if (typeof checkpoint !== "string" || isGlob(checkpoint))
      return context.json(await submitAll(service, checkpoint, asked, context), 202);
    const { evaluation } = await service.submit({ checkpoint, ...asked });
    const latest = await waitUntilEnded(database, evaluation, secondsToWait(context), () => context.req.raw.signal);
    context.header("Location", `/evaluations/${latest.id}`);
    return context.json(toResource(latest), hasEnded(latest) ? 200 : 202);
  });
  app.openapi(get, async (context) =>
    context.json(toResource(await getEvaluation(database, context.req.valid("param").id)), 200),
  );
  app.openapi(details, async (context) =>
    context.json((await getDetails(database, context.req.valid("param").id)) as EvaluationDetails, 200),
  );
}

/** A browser sends a body of another type, or of none, for a page of another site without asking first. */
function requireJson({ req }: Context): void {
  if (/^application\/json\s*(;|$)/i.test(req.header("content-type") ?? "")) return;
  throw new CollapsarError(
    "unsupported-media-type",
    "the body is of another type: expected Content-Type: application/json",
  );
}

/** Returns the body. @throws CollapsarError `invalid-request` where it is not JSON, with an example of what was `expected`. */
export async function readJson(context: Context, expected = '{"checkpoint": "s3://…", …}'): Promise<unknown> {
  try {
    return JSON.parse(await context.req.text());
  } catch (cause) {
    throw new CollapsarError("invalid-request", `the body is not JSON: expected ${expected}`, {
      cause,
    });
  }
}

/** `Prefer: wait=N` of RFC 7240. */
function secondsToWait(context: Context): number {
  const seconds = Number(/(?:^|[,;\s])wait=(\d+)/.exec(context.req.header("prefer") ?? "")?.[1] ?? 0);
  if (seconds > 0) context.header("Preference-Applied", `wait=${Math.min(seconds, MAX_WAIT_SECONDS)}`);
  return Math.min(seconds, MAX_WAIT_SECONDS);
}

const hasEnded = (evaluation: Evaluation) => !isUnfinished(evaluation);

async function waitUntilEnded(
  database: Database,
  evaluation: Evaluation,
  seconds: number,
  callersSignal: () => AbortSignal,
): Promise<Evaluation> {
  if (seconds === 0) return evaluation; // a signal that nobody hears costs more than the rest of the handler
  const deadline = performance.now() + seconds * 1000;
  const signal = callersSignal();
  let latest = evaluation;
  while (!hasEnded(latest) && performance.now() < deadline && !signal.aborted) {
    await sleep(POLL_MILLISECONDS);
    latest = await getEvaluation(database, evaluation.id);
  }
  return latest;
}
