import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { CollapsarError } from "../errors.ts";
import { asS3Error, withS3Errors } from "./s3Errors.ts";
import type { ByteRange, ObjectHead, Storage } from "./storage.ts";
import { parseObjectUrl, redactUrl, s3Url, unsupportedUrl } from "./url.ts";

/** Larger objects are uploaded in parts of this size, four at a time; at most 10,000 parts make 156 GiB. */
const PART_BYTES = 16 * 2 ** 20;

/** How often the rest of an object is asked for when the connection of a streamed read breaks. */
const READ_ATTEMPTS = 4;

/** Without limits a silent peer would hold its caller for ever. */
const CONNECTION_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Returns a client as the AWS SDK's own variables and files say. An endpoint of one's own (`AWS_ENDPOINT_URL_S3`,
 * `AWS_ENDPOINT_URL`) is addressed by path, in region us-east-1 unless told otherwise. Checksums the protocol does not
 * require are left out everywhere: many stores refuse them.
 */
export function s3Client(): S3Client {
  const { env } = process;
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || (endpoint && "us-east-1");
  return new S3Client({
    ...(region && { region }),
    ...(endpoint && { endpoint, forcePathStyle: true }),
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: IDLE_TIMEOUT_MS },
  });
}

/** Returns the storage of `s3://bucket/key` URLs; the key is percent-decoded. */
export function s3Storage(client: S3Client): Storage {
  return {
    head: (url, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        const object = locate(url);
        return headOf(object, await client.send(new HeadObjectCommand(object), { abortSignal: signal }));
      }),

    read: (url, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        const object = locate(url);
        const answer = await client.send(new GetObjectCommand(object), { abortSignal: signal });
        const head = headOf(object, answer);
        const whole = { start: 0, end: head.size };
        return { head, stream: resumed(client, object, head, whole, signal, answer.Body as Body) };
      }),

    readRange: (head, range, { signal } = {}) =>
      withS3Errors(head.url, signal, async () => {
        const bytes = new Uint8Array(range.end - range.start);
        let received = 0;
        if (bytes.length > 0)
          for await (const chunk of resumed(client, locate(head.url), head, range, signal)) {
            bytes.set(chunk, received);
            received += chunk.length;
          }
        return bytes;
      }),

    write: (url, content, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        const object = locate(url);
        const local = "path" in content;
        const [Body, ContentLength] = local
          ? [createReadStream(content.path), (await stat(content.path)).size]
          : [content, content.length];
        const upload = new Upload({ client, params: { ...object, Body }, partSize: PART_BYTES });
        const { ETag } = await abortable(upload, signal);
        return headOf(object, { ETag, ContentLength });
      }),

    async *list(prefix, { signal } = {}) {
      yield* await withS3Errors(prefix, signal, () => listFolder(client, prefix, signal));
    },

    remove: (url, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        await client.send(new DeleteObjectCommand(locate(url)), { abortSignal: signal });
      }),
  };
}

type Body = AsyncIterable<Uint8Array>;

interface Location {
  readonly Bucket: string;
  readonly Key: string;
}

function locate(url: string, { folder = false } = {}): Location {
  const { host, path } = parseObjectUrl(url, { folder });
  if (!/^[a-z0-9][a-z0-9._-]+$/i.test(host)) throw unsupportedUrl(url, "expected s3://bucket/key");
  return { Bucket: host, Key: path };
}

function headOf(
  object: Location,
  { ContentLength: size, ETag: etag }: { ContentLength?: number | undefined; ETag?: string | undefined },
): ObjectHead {
  const url = s3Url(object.Bucket, object.Key);
  if (size === undefined || etag === undefined)
    throw new CollapsarError("storage-unavailable", `the store sent no size or ETag of "${redactUrl(url)}"`);
  return { url, size, etag };
}

/** Yields the bytes of a range, of which `body` is already coming; where the connection breaks, the rest is asked for. */
async function* resumed(
  client: S3Client,
  object: Location,
  { url, etag }: ObjectHead,
  { start, end }: ByteRange,
  signal: AbortSignal | undefined,
  body?: Body,
): AsyncIterable<Uint8Array> {
  let at = start;
  for (let attempt = 1; ; attempt++) {
    try {
      const first = attempt === 1 ? body : undefined;
      for await (const chunk of first ?? (await readFrom(client, object, { start: at, end }, etag, signal))) {
        at += chunk.length;
        yield chunk;
      }
      if (at >= end) return;
      throw new CollapsarError("storage-unavailable", `"${redactUrl(url)}" ended at byte ${at}, expected ${end}`);
    } catch (error) {
      const failure = asS3Error(url, error, signal);
      const transient = failure instanceof CollapsarError && failure.retryable;
      if (!transient || attempt === READ_ATTEMPTS) throw failure;
    }
  }
}

async function readFrom(
  client: S3Client,
  object: Location,
  { start, end }: ByteRange,
  etag: string,
  signal: AbortSignal | undefined,
): Promise<Body> {
  const command = new GetObjectCommand({ ...object, Range: `bytes=${start}-${end - 1}`, IfMatch: etag });
  return (await client.send(command, { abortSignal: signal })).Body as Body;
}

async function abortable(upload: Upload, signal: AbortSignal | undefined): Promise<{ ETag?: string | undefined }> {
  const abort = () => void upload.abort();
  signal?.addEventListener("abort", abort);
  try {
    return await upload.done();
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Returns the objects below `prefix`, without the empty ones that stand for folders. */
async function listFolder(client: S3Client, prefix: string, signal: AbortSignal | undefined): Promise<ObjectHead[]> {
  const { Bucket, Key } = locate(prefix, { folder: true });
  const input = { Bucket, Prefix: Key && `${Key}/` };
  const heads: ObjectHead[] = [];
  for await (const page of paginateListObjectsV2({ client }, input, { abortSignal: signal }))
    for (const { Key, Size, ETag } of page.Contents ?? [])
      if (!Key!.endsWith("/")) heads.push(headOf({ Bucket, Key: Key! }, { ContentLength: Size, ETag }));
  return heads.sort((a, b) => (a.url < b.url ? -1 : 1));
}
