import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { neverSubmitted } from "../database/known.ts";
import { CollapsarError } from "../errors.ts";
import { foundRules } from "../jobs/found.ts";
import { createdObjects } from "../storage/notifications.ts";
import { submissionsSchema } from "./contract.ts";
import { readJson } from "./evaluations.ts";
import { jsonAnswer, problemAnswer } from "./responses.ts";
import type { Service } from "./service.ts";
import { submitAll } from "./submitAll.ts";

export const notify = createRoute({
  method: "post",
  path: "/events/s3",
  summary: "A store tells of objects that were made: evaluate the checkpoints among them",
  request: {
    body: {
      description: "as S3, MinIO, SNS or EventBridge send it",
      // SNS sends its JSON as text
      content: { "application/json": { schema: z.looseObject({}) }, "text/plain": { schema: z.string() } },
    },
  },
  responses: {
    202: jsonAnswer(submissionsSchema, "what became of each new checkpoint; what was submitted before is left out"),
    400: problemAnswer,
    415: problemAnswer,
    503: problemAnswer,
  },
});

/** Adds `POST /events/s3`. Where the store or the database is away it answers 503, for the sender to try again. */
export function notificationRoutes(app: OpenAPIHono, service: Service): void {
  const { request, isCheckpoint } = service.found ?? foundRules({}, "");
  app.openapi(notify, async (context) => {
    const created = createdObjects(await readJson(context, "a notification of S3"));
    const fresh = await newOf(service, created.filter(isCheckpoint));
    if (fresh.length === 0) return context.json({ items: [] }, 202);
    const submissions = await submitAll(service, fresh, request, context);
    const later = submissions.items.find(({ error }) => error?.status === 503)?.error;
    if (later) throw new CollapsarError("storage-unavailable", later.detail);
    return context.json(submissions, 202);
  });
}

/** Returns the URLs of those whose version was never submitted, and of those that cannot be looked at. */
async function newOf({ database, storage }: Service, urls: readonly string[]): Promise<string[]> {
  const unseen = await Promise.all(
    [...new Set(urls)].map(async (url) => {
      const head = await storage.head(url).catch(() => null);
      return !head || (await neverSubmitted(database, [head])).length > 0 ? [url] : [];
    }),
  );
  return unseen.flat();
}
