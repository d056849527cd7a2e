import { Readable } from "node:stream";
import type { Context } from "hono";
import { CollapsarError } from "../errors.ts";
import { type EvaluationRequest, MAX_CHECKPOINTS } from "../evaluation/request.ts";
import { matchObjects } from "../storage/glob.ts";
import { redactUrl } from "../storage/url.ts";
import type { Submissions } from "./contract.ts";
import { problemOf } from "./problem.ts";
import type { Service } from "./service.ts";
import { toResource } from "./toResource.ts";

/** Submissions at a time: each asks the store and the database one thing after the other. */
const AT_A_TIME = 8;

/**
 * Submits each of the checkpoints, or of those that match the pattern, and returns in their order what became of each: one
 * that is refused holds up no other.
 * @throws CollapsarError `object-not-found` where nothing matches, and as `matchObjects`.
 */
export async function submitAll(
  { storage, submit }: Service,
  checkpoints: readonly string[] | string,
  asked: Omit<EvaluationRequest, "checkpoint">,
  context: Context,
): Promise<Submissions> {
  const { signal } = context.req.raw;
  const urls =
    typeof checkpoints === "string"
      ? await matchObjects(storage, checkpoints, MAX_CHECKPOINTS, { signal })
      : checkpoints;
  if (urls.length === 0)
    throw new CollapsarError("object-not-found", `no object matches "${redactUrl(String(checkpoints))}"`);
  const submitOne = async (url: string): Promise<Submissions["items"][number]> => {
    const checkpoint = redactUrl(url);
    try {
      const { evaluation } = await submit({ checkpoint: url, ...asked });
      return { checkpoint, evaluation: toResource(evaluation), error: null };
    } catch (error) {
      return { checkpoint, evaluation: null, error: problemOf(error, context) };
    }
  };
  return { items: await Readable.from(urls).map(submitOne, { concurrency: AT_A_TIME }).toArray() };
}
