import picomatch from "picomatch";
import { CollapsarError } from "../errors.ts";
import type { Storage, StorageCall } from "./storage.ts";
import { decode, parseObjectUrl, redactUrl, unsupportedUrl } from "./url.ts";

const SPECIAL = /[*[{]/;

/** Every star may take any part of a name: with many of them, names that nearly match take for ever. */
const MAX_STARS = 6;

/** Returns whether `url` is a pattern: whether it has a `*`, `[` or `{` (of a name itself: %2A, %5B, %7B). */
export function isGlob(url: string): boolean {
  return SPECIAL.test(url);
}

/**
 * Returns the URLs of all objects that match `pattern`, in order: `*` stands for any part of a name, `**` for any folders,
 * `[0-9]` for one character, `{a,b}` for either.
 * @throws CollapsarError `unsupported-url` where the bucket or first folder is no plain name, or there are too many stars;
 *   `invalid-request` where more than `most` match; and as `Storage.list`.
 */
export async function matchObjects(
  storage: Pick<Storage, "list">,
  pattern: string,
  most: number,
  call?: StorageCall,
): Promise<string[]> {
  const folder = pattern.slice(0, pattern.lastIndexOf("/", pattern.search(SPECIAL)));
  if (!/^[a-z0-9+.-]+:\/\/[^/]*(\/|$)/i.test(folder) || folder.endsWith("://"))
    throw unsupportedUrl(pattern, "expected a pattern below a bucket or a folder, as s3://bucket/run-7/*.safetensors");
  if ((pattern.match(/\*+/g) ?? []).length > MAX_STARS)
    throw unsupportedUrl(pattern, `it has more than ${MAX_STARS} stars`);
  const below = parseObjectUrl(folder, { folder: true }).path;
  const begin = below === "" ? 0 : below.length + 1;
  const matches = picomatch(decode(pattern, pattern.slice(folder.length + 1)), { noextglob: true });
  const found: string[] = [];
  for await (const { url } of storage.list(folder, call)) {
    if (!matches(parseObjectUrl(url, { folder: false }).path.slice(begin))) continue;
    if (found.length === most)
      throw new CollapsarError("invalid-request", `more than ${most} objects match "${redactUrl(pattern)}"`);
    found.push(url);
  }
  return found;
}
