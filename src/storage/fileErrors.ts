import { asCollapsarError, CollapsarError, type ErrorCode } from "../errors.ts";
import { redactUrl } from "./url.ts";

const FILE_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["object-not-found", "does not exist"],
  ENOTDIR: ["object-not-found", "does not exist: part of its path is a file"],
  EEXIST: ["object-not-found", "cannot be made: part of its path is a file"],
  EISDIR: ["object-not-found", "is a folder, expected a file"],
  EACCES: ["forbidden-url", "may not be used: permission denied"],
  EPERM: ["forbidden-url", "may not be used: permission denied"],
  ELOOP: ["forbidden-url", "may not be used: its symbolic links form a loop"],
  ENAMETOOLONG: ["unsupported-url", "cannot be used: the path is too long"],
};

/** Returns what the caller of a storage is told of `error`: the signal's reason, or the error of ours that fits. */
export function asFileError(url: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof CollapsarError || !(error instanceof Error && "errno" in error)) return error;
  const known = asCollapsarError(error);
  if (known.code !== "internal") return known;
  const [code, what] = FILE_ERRORS[(error as NodeJS.ErrnoException).code ?? ""] ?? ["storage-unavailable", "failed"];
  const detail = code === "storage-unavailable" ? `: ${error.message}` : "";
  return new CollapsarError(code, `"${redactUrl(url)}" ${what}${detail}`, { cause: error });
}
