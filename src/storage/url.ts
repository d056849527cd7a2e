import { CollapsarError } from "../errors.ts";

/** Returns `url` without user, password, query and fragment: what messages and logs may show. */
export function redactUrl(url: string): string {
  return url.replace(/[?#].*$/s, "").replace(/^([a-z][a-z0-9+.-]*:\/*)[^/]*@/i, "$1");
}

/** Returns the error that `url` is not one an object can have. */
export function unsupportedUrl(url: string, why: string): CollapsarError {
  return new CollapsarError("unsupported-url", `"${redactUrl(url)}" cannot be used: ${why}`);
}

/** Returns the URL of the object `key` in `bucket`. */
export function s3Url(bucket: string, key: string): string {
  return `s3://${bucket}/${encodeURI(key).replace(/[?#]/g, encodeURIComponent)}`;
}

/** The part of a URL that names an object, percent-decoded. */
export interface ObjectLocation {
  readonly host: string;
  /** Without the leading `/`; empty for the root. */
  readonly path: string;
}

/**
 * Returns host and decoded path of a URL of an object, or of a folder of objects where `folder` says so (only then may
 * the path be empty or end in `/`, which is dropped). A web URL may have a port, which `host` then holds, and a query.
 * @throws CollapsarError `unsupported-url` for what no object has: credentials, a port, a query, a fragment, an empty
 *   or encoded dot segment, an escape that is no UTF-8, a NUL.
 */
export function parseObjectUrl(url: string, { folder }: { readonly folder: boolean }): ObjectLocation {
  const parsed = URL.parse(url);
  if (!parsed || !url.includes("://")) throw unsupportedUrl(url, "it is not a URL");
  const { host, hostname, username, password } = parsed;
  const web = parsed.protocol === "https:";
  if (username || password || (!web && host !== hostname)) throw unsupportedUrl(url, "it holds credentials or a port");
  if ((web ? /#/ : /[?#]/).test(url))
    throw unsupportedUrl(url, "it has a query or a fragment (write ? as %3F and # as %23)");
  const raw = parsed.pathname.replace(/^\//, "");
  const path = decode(url, folder ? raw.replace(/\/+$/, "") : raw);
  if (folder && path === "") return { host, path };
  if (path === "" || path.endsWith("/")) throw unsupportedUrl(url, "it names a folder, expected an object");
  if (path.split("/").some((segment) => ["", ".", ".."].includes(segment)))
    throw unsupportedUrl(url, "its path has an empty segment, . or ..");
  return { host, path };
}

/** Returns the part `path` of `url`, percent-decoded. @throws CollapsarError `unsupported-url` for no UTF-8, or a NUL. */
export function decode(url: string, path: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw unsupportedUrl(url, "its percent-encoding is not valid UTF-8 (write % as %25)");
  }
  if (decoded.includes("\0")) throw unsupportedUrl(url, "it holds a NUL");
  return decoded;
}
