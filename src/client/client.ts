import { hc, type InferRequestType, type InferResponseType, parseResponse } from "hono/client";
import type { Api } from "./routes.ts";

export { DetailedError, parseResponse } from "hono/client";

/** The service waits as long before it answers that it is not done yet; proxies close what is silent for a minute. */
const WAIT_SECONDS = 30;
const POLL_MILLISECONDS = 500;

/** Each path of the service with its methods, typed: `client.runs[":id"].metrics.$get({ param: { id } })`. */
export type Client = ReturnType<typeof hc<Api>>;

/** What may be asked of one evaluation. */
export type EvaluationRequest = InferRequestType<Client["evaluate"]["$post"]>["json"] & { checkpoint: string };

/** An evaluation, as far as it is. */
export type Evaluation = InferResponseType<Client["evaluations"][":id"]["$get"], 200>;

/** The metrics of every evaluated checkpoint of a run. */
export type RunMetrics = InferResponseType<Client["runs"][":id"]["metrics"]["$get"], 200>;

/** Returns a client of the service with this base URL, to which `token` is shown. It works in Node and in browsers. */
export function createClient(
  url: string,
  { token, fetch }: { token?: string; fetch?: typeof globalThis.fetch } = {},
): Client {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return hc<Api>(url, { headers, ...(fetch && { fetch }) });
}

/**
 * Submits a checkpoint and returns its evaluation once it has ended, be it `succeeded`, `failed` or `cancelled`.
 * @throws DetailedError with the service's problem where it does not take the request.
 */
export async function evaluate(client: Client, request: EvaluationRequest): Promise<Evaluation> {
  const submitted = client.evaluate.$post({ json: request, header: { prefer: `wait=${WAIT_SECONDS}` } });
  const answer = await parseResponse(submitted);
  if ("items" in answer) throw new TypeError("evaluate takes one checkpoint: for a pattern use client.evaluate.$post");
  let latest: Evaluation = answer;
  while (latest.status === "queued" || latest.status === "running") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    latest = await parseResponse(client.evaluations[":id"].$get({ param: { id: latest.id } }));
  }
  return latest;
}
