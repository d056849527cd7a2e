import { setTimeout as sleep } from "node:timers/promises";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { type Evaluation, getEvaluation } from "../database/evaluations.ts";
import { isUnfinished } from "../database/states.ts";
import { logFailure } from "../logging.ts";
import { problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";
import { toResource } from "./toResource.ts";

const LOOK_MILLISECONDS = 500;
/** Proxies close what is silent for a minute. */
const SILENT_MILLISECONDS = 15_000;

export const events = createRoute({
  method: "get",
  path: "/evaluations/{id}/events",
  summary: "The evaluation as it changes, as server-sent events until it has ended",
  request: {
    params: z.object({ id: z.string() }),
    headers: z.object({
      "last-event-id": z.string().optional().openapi({ description: "that state is not sent again" }),
    }),
  },
  responses: {
    200: {
      description: "events `progress`, and at last `ended`; the data is the evaluation, as GET /evaluations/:id has it",
      content: { "text/event-stream": { schema: z.string() } },
    },
    404: problemAnswer,
  },
});

/** Adds `GET /evaluations/:id/events`. An event is a whole state, so whoever comes back misses nothing but what is past. */
export function eventRoutes(app: OpenAPIHono, { database }: Service): void {
  app.openapi(events, async (context) => {
    const { id } = context.req.valid("param");
    let latest = await getEvaluation(database, id);
    let sent = context.req.valid("header")["last-event-id"];
    return streamSSE(
      context,
      async (stream) => {
        for (let silent = 0; !stream.aborted; silent += LOOK_MILLISECONDS) {
          const state = stateOf(latest);
          if (state !== sent) {
            const event = isUnfinished(latest) ? "progress" : "ended";
            await stream.writeSSE({ id: state, event, data: JSON.stringify(toResource(latest)) });
            sent = state;
            silent = 0;
          }
          if (!isUnfinished(latest)) return;
          if (silent >= SILENT_MILLISECONDS) {
            await stream.write(":\n\n");
            silent = 0;
          }
          await sleep(LOOK_MILLISECONDS);
          latest = await getEvaluation(database, id);
        }
      },
      async (error) => logFailure(error),
    );
  });
}

/** Two states with the same name are the same to whoever watches. */
function stateOf({ status, attempts, progress }: Evaluation): string {
  return [status, attempts, progress?.stage, progress?.done].filter((part) => part != null).join("-");
}
