import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { CollapsarError } from "../errors.ts";
import { asS3Error } from "./s3Errors.ts";
import type { ObjectHead, Storage } from "./storage.ts";
import { parseObjectUrl, unsupportedUrl } from "./url.ts";

/** Larger objects are uploaded in parts of this size, four at a time. The store allows 10,000 parts of 5 MiB or more. */
const PART_BYTES = 16 * 2 ** 20;

/** How often one streamed read is taken up again where its connection broke. */
const READ_ATTEMPTS = 4;

/** Without limits a silent peer would hold a worker for ever. */
const CONNECTION_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Returns a client as the AWS SDK's own environment variables and files say. An endpoint of one's own
 * (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`) is addressed by path, without the checksums that many such stores refuse,
 * and in region us-east-1 unless told otherwise.
 */
export function s3Client(env: NodeJS.ProcessEnv = process.env): S3Client {
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
  async function get({ bucket, key }: Location, signal: AbortSignal | undefined, from?: { byte: number; etag: string }) {
    const range = from && { Range: `bytes=${from.byte}-`, IfMatch: from.etag };
    return client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...range }), { abortSignal: signal });
  }

  /** Yields the whole object from its first response on; where the connection breaks, the rest is asked for. */
  async function* resumed(
    location: Location,
    first: GetObjectCommandOutput,
    head: ObjectHead,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Uint8Array> {
    let byte = 0;
    let response = first;
    for (let attempt = 1; byte < head.size; attempt++) {
      try {
        if (attempt > 1) response = await get(location, signal, { byte, etag: head.etag });
        for await (const chunk of response.Body as AsyncIterable<Uint8Array>) {
          byte += chunk.length;
          yield chunk;
        }
        if (byte < head.size) throw new Error(`the body ended after ${byte} of ${head.size} bytes`);
      } catch (error) {
        const failure = asS3Error(location.url, error, signal);
        if (attempt === READ_ATTEMPTS || !(failure instanceof CollapsarError && failure.retryable)) throw failure;
      }
    }
  }

  return {
    head: (url, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        const { bucket, key } = locate(url);
        return headOf(
          { bucket, key },
          await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal }),
        );
      }),

    read: (url, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        const location = { ...locate(url), url };
        const response = await get(location, signal);
        const head = headOf(location, response);
        return { head, stream: resumed(location, response, head, signal) };
      }),

    write: (url, bytes, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        const { bucket, key } = locate(url);
        const params = { Bucket: bucket, Key: key, Body: bytes };
        const upload = new Upload({ client, params, partSize: PART_BYTES });
        const abort = () => void upload.abort();
        signal?.throwIfAborted();
        signal?.addEventListener("abort", abort);
        try {
          const { ETag } = await upload.done();
          return headOf({ bucket, key }, { ContentLength: bytes.length, ETag });
        } finally {
          signal?.removeEventListener("abort", abort);
        }
      }),

    async *list(prefix, { signal } = {}) {
      const heads = await withS3Errors(prefix, signal, () => listFolder(client, prefix, signal));
      yield* heads;
    },

    remove: (url, { signal } = {}) =>
      withS3Errors(url, signal, async () => {
        const { bucket, key } = locate(url);
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
      }),
  };
}
