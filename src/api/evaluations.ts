import { setTimeout as sleep } from "node:timers/promises";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Database } from "../database/database.ts";
import { type Evaluation, getDetails, getEvaluation } from "../database/evaluations.ts";
import { CollapsarError } from "../errors.ts";
import { parseRequest, requestSchema } from "../evaluation/request.ts";
import { detailsSchema, type EvaluationResource, evaluationSchema } from "./contract.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";

const MAX_WAIT_SECONDS = 600;
const POLL_MILLISECONDS = 100;

const submit = createRoute({
  method: "post",
  path: "/evaluate",
  summary: "Evaluate a checkpoint",
  request: {
    headers: z.object({ prefer: z.string().optional().openapi({ example: "wait=30" }) }),
    body: { content: { "application/json": { schema: requestSchema } } },
  },
  responses: {
    200: jsonAnswer(evaluationSchema, "it has ended (already, or within the seconds of Prefer: wait)"),
    202: jsonAnswer(evaluationSchema, "it is queued or running; Location tells where to look"),
    400: problemAnswer,
    403: problemAnswer,
    422: problemAnswer,
    503: problemAnswer,
  },
});

const get = createRoute({
  method: "get",
  path: "/evaluations/{id}",
  summary: "One evaluation",
  request: { params: z.object({ id: z.string() }) },
  responses: { 200: jsonAnswer(evaluationSchema, "the evaluation"), 404: problemAnswer },
});

const details = createRoute({
  method: "get",
  path: "/evaluations/{id}/details",
  summary: "What of an evaluation is no single number: curves, reliability bins, cosine matrices",
  request: { params: z.object({ id: z.string() }) },
  responses: {
    200: jsonAnswer(detailsSchema, "by part: collapse, calibration, ood, ood_estimators"),
    404: problemAnswer,
  },
});

/** Adds `POST /evaluate`, `GET /evaluations/:id` and `GET /evaluations/:id/details`. */
export function evaluationRoutes(app: OpenAPIHono, { database, submit: take }: Service): void {
  app.openapi(submit, async (context) => {
    const { evaluation } = await take(parseRequest(await readJson(context)));
    const latest = await waitUntilEnded(database, evaluation, secondsToWait(context), context.req.raw.signal);
    context.header("Location", `/evaluations/${latest.id}`);
    return context.json(toResource(latest), hasEnded(latest) ? 200 : 202);
  });
  app.openapi(get, async (context) =>
    context.json(toResource(await getEvaluation(database, context.req.valid("param").id)), 200),
  );
  app.openapi(details, async (context) => context.json(await getDetails(database, context.req.valid("param").id), 200));
}

/** The body is JSON whatever the content type says: `curl -d` says it is a form. */
async function readJson(context: Context): Promise<unknown> {
  try {
    return JSON.parse(await context.req.text());
  } catch (cause) {
    throw new CollapsarError("invalid-request", 'the body is not JSON: expected {"checkpoint": "s3://…", …}', {
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

const hasEnded = ({ status }: Evaluation) => status !== "queued" && status !== "running";

async function waitUntilEnded(
  database: Database,
  evaluation: Evaluation,
  seconds: number,
  signal: AbortSignal,
): Promise<Evaluation> {
  const deadline = performance.now() + seconds * 1000;
  let latest = evaluation;
  while (!hasEnded(latest) && performance.now() < deadline && !signal.aborted) {
    await sleep(POLL_MILLISECONDS);
    latest = await getEvaluation(database, evaluation.id);
  }
  return latest;
}

/** Returns an evaluation as the API shows it. */
export function toResource(evaluation: Evaluation): EvaluationResource {
  const { id, status, run, epoch, values, protocol, sameAs, progress, error, attempts, seconds } = evaluation;
  const { checkpointUrl, checkpointSize, sha256, createdAt, startedAt, finishedAt, protocolParts, omitted } =
    evaluation;
  return {
    id,
    status,
    checkpoint: { url: checkpointUrl, size: checkpointSize, sha256 },
    run,
    epoch,
    dataset: protocolParts?.dataset.name ?? null,
    values,
    omitted: omitted ?? {},
    protocol,
    protocolParts: protocolParts && { ...protocolParts },
    sameAs,
    progress,
    error,
    attempts,
    seconds,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
