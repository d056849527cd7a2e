import { checkpointVersion } from "../checkpoints/fetch.ts";
import type { Submission, Submitted } from "../database/submissions.ts";
import type { DatasetSources } from "../datasets/open.ts";
import { requestKey } from "../evaluation/identity.ts";
import { withoutQueries } from "../evaluation/presigned.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";
import { versionsOf } from "../evaluation/sets.ts";
import { redactUrl } from "../storage/url.ts";
import type { Queue } from "./queue.ts";
import { type WebhookSender, webhookSender } from "./webhook.ts";

/** Takes a request in, and tells the evaluation that answers it. */
export type Submitter = (request: EvaluationRequest) => Promise<Submitted>;

/**
 * Returns what can be said of a request without reading the checkpoint or the datasets, so that what cannot be evaluated
 * at all is refused at once, and what was asked before is known again.
 * @throws CollapsarError of the storage; `unknown-dataset`, `missing-dataset`.
 */
export async function submissionOf(request: EvaluationRequest, sources: DatasetSources): Promise<Submission> {
  const [object, versions] = await Promise.all([
    sources.storage.head(request.checkpoint),
    versionsOf(request, sources),
  ]);
  const version = await checkpointVersion(sources.storage, object);
  return {
    ...withoutQueries(request),
    requestKey: requestKey(request, { ...object, etag: version }, versions),
    checkpointUrl: redactUrl(object.url),
    checkpointEtag: object.etag,
    checkpointSize: object.size,
    force: request.force ?? false,
  };
}

/**
 * Returns the submitter of `queue`: what was asked before is answered with the first evaluation, which is told to the webhook
 * of each who asked. Without `webhooks`, none may be asked for.
 */
export function submitterOf(
  queue: Queue,
  sources: DatasetSources,
  webhooks: Pick<WebhookSender, "require"> = webhookSender({ secrets: [], allowed: null }),
): Submitter {
  return async ({ webhook, ...request }) => {
    if (webhook !== undefined) webhooks.require(webhook);
    return queue.submit(await submissionOf(request, sources), webhook);
  };
}
