/** Every failure a user can meet, and the HTTP status that answers it. The code is part of the interface. */
const HTTP_STATUS = {
  "invalid-request": 400,
  unauthorized: 401,
  forbidden: 403,
  "rate-limited": 429,
  "not-found": 404,
  conflict: 409,
  "unsupported-media-type": 415,
  // what the caller sent names or holds something we cannot evaluate
  "unsupported-url": 422,
  "forbidden-url": 403,
  "object-not-found": 422,
  "object-too-large": 422,
  "malformed-checkpoint": 422,
  "missing-metadata": 422,
  "invalid-metadata": 422,
  "wrong-shape": 422,
  "shape-mismatch": 422,
  "unsupported-network": 422,
  "unknown-dataset": 422,
  "missing-dataset": 422,
  "malformed-dataset": 422,
  "missing-class": 422,
  "too-few-classes": 422,
  "too-few-samples": 422,
  "invalid-label": 422,
  "label-out-of-range": 422,
  "non-finite-feature": 422,
  "non-finite-logit": 422,
  "non-finite-score": 422,
  "non-finite-weight": 422,
  "zero-denominator": 422,
  "non-finite-loss": 422,
  // what may pass by itself, or needs the operator
  stopping: 503,
  "storage-unavailable": 503,
  "database-unavailable": 503,
  "database-locked": 409,
  "disk-full": 507,
  "webhook-failed": 502,
  "missing-engine": 501,
  "timed-out": 504,
  "process-died": 500,
  cancelled: 409,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof HTTP_STATUS;

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  "stopping",
  "storage-unavailable",
  "database-unavailable",
  "disk-full",
  "rate-limited",
  "webhook-failed",
  "process-died",
  "internal",
]);

/**
 * The one error of Collapsar: a code a program can act on and a sentence a person can act on, which names the
 * offender and what was expected. It never holds a secret or the query part of a URL.
 */
export class CollapsarError extends Error {
  readonly code: ErrorCode;
  /** Whether doing the same again later may succeed. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(redact(message), { cause: options.cause });
    this.name = "CollapsarError";
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE.has(code);
  }

  /** The HTTP status that answers this error. */
  get status(): (typeof HTTP_STATUS)[ErrorCode] {
    return HTTP_STATUS[this.code];
  }
}

/** Returns `text` without users, passwords and queries of the URLs in it, and without tokens of ours. */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)([^\s"'`<>]+)/gi, (_, scheme: string, rest: string) => {
      return scheme + rest.replace(/^[^/?#]*@/, "").replace(/[?#].*$/s, "");
    })
    .replace(/\bclp_[\w-]+/g, "clp_…");
}

/** No room, no room for this user, or for a file of this size. */
const DISK_FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Returns `error` itself if it is ours, or the one of ours that a library has wrapped, else `disk-full` where it is that, or
 * an `internal` error that keeps it as the cause.
 */
export function asCollapsarError(error: unknown): CollapsarError {
  if (error instanceof CollapsarError) return error;
  if (error instanceof Error && error.cause instanceof CollapsarError) return error.cause;
  if (error instanceof Error && "code" in error && DISK_FULL.has(String(error.code)))
    return new CollapsarError("disk-full", `a file could not be written: ${error.message}`, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new CollapsarError("internal", `unexpected failure: ${message}`, { cause: error });
}
