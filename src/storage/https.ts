import type { Dispatcher } from "undici";
import { CollapsarError } from "../errors.ts";
import { MACHINE, type Network, publicAgent } from "./dial.ts";
import { requireAllowed } from "./policy.ts";
import type { ByteRange, ObjectHead, Storage } from "./storage.ts";
import { parseObjectUrl, redactUrl, unsupportedUrl } from "./url.ts";

/** Stores of models send the client on to a presigned URL; two of them in a row are common. */
const MAX_REDIRECTS = 5;
/** For one answer with its whole body: 4 GiB at 2.4 MB/s. */
const LONGEST_READ_MS = 30 * 60_000;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface HttpsOptions {
  /** As `requireAllowed` has it. */
  readonly allowed: readonly string[] | null;
  readonly network?: Network;
}

/**
 * Returns the storage of `https://host/path` URLs, read only: of the public internet, and of internal hosts that `allowed`
 * names. Every redirect is held to the same rules as the URL itself.
 */
export function httpsStorage({ allowed, network = MACHINE }: HttpsOptions): Storage {
  const agent = publicAgent(network, allowed);

  /** Asks for `range` of the object, all of it where null, wherever redirects lead. */
  async function get(url: string, range: ByteRange | null, signal: AbortSignal | undefined) {
    const limit = AbortSignal.timeout(LONGEST_READ_MS);
    const headers = {
      "accept-encoding": "identity", // else the size is not that of the object
      ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
    };
    let at = url;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const { origin, pathname, search } = target(at, allowed);
      const path = pathname + search;
      const answer = await agent.request({
        ...{ origin, path, method: "GET", headers },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.statusCode) || typeof location !== "string") return required(url, answer);
      await discard(answer);
      at = URL.parse(location, at)?.href ?? location;
    }
    throw new CollapsarError("forbidden-url", `"${redactUrl(url)}" redirects more than ${MAX_REDIRECTS} times`);
  }

  return {
    head: (url, { signal } = {}) =>
      withHttpsErrors(url, signal, async () => {
        // a presigned URL of a GET answers no HEAD
        const answer = await get(url, { start: 0, end: 1 }, signal);
        await discard(answer);
        return headOf(url, answer);
      }),

    read: (url, { signal } = {}) =>
      withHttpsErrors(url, signal, async () => {
        const answer = await get(url, null, signal);
        return { head: headOf(url, answer), stream: chunksOf(url, answer, signal) };
      }),

    readRange: ({ url, etag }, range, { signal } = {}) =>
      withHttpsErrors(url, signal, async () => {
        const answer = await get(url, range, signal);
        const size = range.end - range.start;
        if (answer.statusCode !== 206 || headOf(url, answer).etag !== etag) {
          await discard(answer);
          throw unavailable(url, "changed while it was read, or its server reads no ranges");
        }
        const bytes = new Uint8Array(size);
        let received = 0;
        for await (const chunk of chunksOf(url, answer, signal)) {
          if (received + chunk.length > size) throw unavailable(url, "sent more bytes than were asked for");
          bytes.set(chunk, received);
          received += chunk.length;
        }
        if (received < size) throw unavailable(url, `sent ${received} bytes of ${size}`);
        return bytes;
      }),

    write: (url) => Promise.reject(readOnly(url)),
    async *list(prefix) {
      yield* await Promise.reject<ObjectHead[]>(readOnly(prefix));
    },
    remove: (url) => Promise.reject(readOnly(url)),
  };
}

/** Returns where `url` leads. @throws CollapsarError `unsupported-url`, `forbidden-url`. */
function target(url: string, allowed: readonly string[] | null): URL {
  if (!/^https:/i.test(url)) throw new CollapsarError("forbidden-url", `"${redactUrl(url)}" is not https`);
  parseObjectUrl(url, { folder: false });
  requireAllowed(url, allowed);
  return new URL(url);
}

type Answer = Dispatcher.ResponseData;

async function required(url: string, answer: Answer): Promise<Answer> {
  const { statusCode: status, headers } = answer;
  const encoding = headers["content-encoding"];
  if ((status === 200 || status === 206) && (encoding === undefined || encoding === "identity")) return answer;
  await discard(answer);
  const shown = `"${redactUrl(url)}"`;
  if (status === 404 || status === 410) throw new CollapsarError("object-not-found", `${shown} does not exist`);
  if (status === 401 || status === 403)
    throw new CollapsarError("forbidden-url", `${shown} may not be read (HTTP ${status})`);
  const retryable = status >= 500 || status === 429;
  throw new CollapsarError("storage-unavailable", `the server of ${shown} failed: HTTP ${status}`, { retryable });
}

/** The body is not wanted; to read it to its end could take long. */
async function discard({ body }: Answer): Promise<void> {
  body.on("error", () => {}); // of the abort itself
  body.destroy();
}

function headOf(url: string, { statusCode, headers }: Answer): ObjectHead {
  const inRange = /^bytes \d+-\d+\/(\d+)$/.exec(String(headers["content-range"]))?.[1];
  const size = Number(statusCode === 206 ? inRange : (headers["content-length"] ?? Number.NaN));
  const version = headers.etag ?? headers["last-modified"];
  if (Number.isSafeInteger(size) && typeof version === "string") return { url, size, etag: `${size} ${version}` };
  throw new CollapsarError(
    "unsupported-url",
    `"${redactUrl(url)}" cannot be used: its server tells no size, or neither ETag nor Last-Modified`,
  );
}

async function* chunksOf(url: string, { body }: Answer, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw asHttpsError(url, error, signal);
  }
}

function unavailable(url: string, what: string): CollapsarError {
  return new CollapsarError("storage-unavailable", `"${redactUrl(url)}" ${what}`);
}

function readOnly(url: string): CollapsarError {
  return unsupportedUrl(url, "https URLs are only read");
}

async function withHttpsErrors<T>(url: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    throw asHttpsError(url, error, signal);
  }
}

/** The text of a failure of the network is left out: it may hold the query of the URL. */
function asHttpsError(url: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof CollapsarError || !(error instanceof Error)) return error;
  const { code = error.name } = error as NodeJS.ErrnoException;
  return new CollapsarError("storage-unavailable", `the server of "${redactUrl(url)}" failed: ${code}`, {
    cause: error,
  });
}
