import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { asCollapsarError, CollapsarError } from "../errors.ts";

/** The body of every error, RFC 9457. `code` is ours: what a program should act on. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly instance: string;
}

/** Returns the response that tells `error` as `application/problem+json`; what is not ours is said to be internal, without its text. */
export function problemResponse(error: unknown, context: Context): Response {
  const problem = problemOf(error, context);
  return context.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    "content-type": "application/problem+json",
  });
}

/** Returns `error` as the API tells it, as `problemResponse` does. */
export function problemOf(error: unknown, context: Context): Problem {
  const known = error instanceof HTTPException ? fromHttp(error) : asCollapsarError(error);
  const internal = known.code === "internal";
  return {
    type: "about:blank",
    title: known.code.replaceAll("-", " "),
    status: known.status,
    detail: internal ? "an unexpected failure, which the service has logged" : known.message,
    code: known.code,
    instance: context.req.path,
  };
}

/** Hono's own errors: a body that is not JSON, one that is too large. */
function fromHttp(error: HTTPException): CollapsarError {
  if (error.status === 415)
    return new CollapsarError("unsupported-media-type", "the body is of another type: expected application/json", {
      cause: error,
    });
  return new CollapsarError("invalid-request", error.message || "the request could not be read", { cause: error });
}
