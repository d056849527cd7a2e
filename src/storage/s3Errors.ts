import { CollapsarError } from "../errors.ts";
import { redactUrl } from "./url.ts";

/** What the SDK throws: answers of the store have a status, failures of the network a `code` such as ECONNREFUSED. */
interface S3Failure extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** By message, name or code: what the client itself says of its settings, before it asks any store. */
const MISCONFIGURED = new Set(["Region is missing", "EndpointError", "ERR_INVALID_URL"]);

/** Nobody answers where the store should be. */
const UNREACHABLE = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH"]);

/** Answers whose meaning their status does not tell. */
const UNSUPPORTED = new Set(["InvalidBucketName", "KeyTooLongError", "InvalidURI"]);

/**
 * Returns what the caller of a storage is told of `error`: the signal's reason, or the error of ours that fits. The
 * message names the store's error code and never repeats its text, which may hold credentials.
 */
export function asS3Error(url: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof CollapsarError || !(error instanceof Error)) return error;
  const failure: S3Failure = error;
  const { name, code = name, $metadata: { httpStatusCode: status } = {} } = failure;
  const shown = `"${redactUrl(url)}"`;
  const answer = /^Unknown/.test(name) ? `HTTP ${status}` : name; // an answer to HEAD has no body that would name it
  const options = { cause: error };
  if (name === "CredentialsProviderError")
    return new CollapsarError("forbidden-url", `${shown} needs AWS credentials, and none were found`, options);
  if ([error.message, name, code].some((mark) => MISCONFIGURED.has(mark))) {
    const message = `${shown} needs a valid AWS_REGION and AWS_ENDPOINT_URL_S3: ${error.message}`;
    return new CollapsarError("storage-unavailable", message, { ...options, retryable: false });
  }
  if (name === "NoSuchBucket")
    return new CollapsarError("object-not-found", `${shown} does not exist: there is no such bucket`, options);
  if (status === 404) return new CollapsarError("object-not-found", `${shown} does not exist`, options);
  if (status === 401 || status === 403)
    return new CollapsarError("forbidden-url", `${shown} may not be used with these credentials (${answer})`, options);
  if (UNSUPPORTED.has(name)) return new CollapsarError("unsupported-url", `${shown} cannot be used: ${name}`, options);
  if (status === 412)
    return new CollapsarError("storage-unavailable", `${shown} was replaced while it was read`, options);
  const ours = status !== undefined && status >= 300 && status < 500 && status !== 429;
  if (UNREACHABLE.has(code)) {
    const message = `the store of ${shown} cannot be reached at AWS_ENDPOINT_URL_S3: ${code}`;
    return new CollapsarError("storage-unavailable", message, options);
  }
  const message = `the store of ${shown} failed: ${status === undefined ? code : `${name} (HTTP ${status})`}`;
  return new CollapsarError("storage-unavailable", message, { ...options, retryable: !ours });
}

/** Runs `work` on `url`, and throws its failures as `asS3Error` tells them. */
export async function withS3Errors<T>(
  url: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    throw asS3Error(url, error, signal);
  }
}
