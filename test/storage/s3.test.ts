import { randomBytes } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { download } from "../../src/storage/download.ts";
import { openStorage } from "../../src/storage/open.ts";
import { s3Client, s3Storage } from "../../src/storage/s3.ts";
import { storageContract } from "../contract/storage.ts";
import { clientOf, startS3 } from "../servers/s3.ts";

const NOWHERE = {
  AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1",
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "key",
  AWS_SECRET_ACCESS_KEY: "secret",
};

describe("s3 without a server", () => {
  const storage = s3Storage(clientOf(NOWHERE));
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    "s3://",
    "s3:///key",
    "s3://bucket",
    "s3://bucket/",
    "s3://bucket:9000/key",
    "s3://user:secret@bucket/key",
    "s3://-bucket/key",
    "s3:bucket/key",
    "s3://bucket/a?versionId=secret",
  ])("refuses %s", async (url) => {
    const error = await storage.head(url).catch((error) => error);
    expect(error).toMatchObject({ code: "unsupported-url" });
    expect(error.message).not.toContain("secret");
  });

  it("says that the store cannot be reached, and that it may be tried again", async () => {
    const expected = {
      code: "storage-unavailable",
      retryable: true,
      message: expect.stringContaining("cannot be reached at AWS_ENDPOINT_URL_S3: ECONNREFUSED"),
    };
    await expect(storage.head("s3://bucket/key")).rejects.toMatchObject(expected);
    await expect(storage.write("s3://bucket/key", randomBytes(10))).rejects.toMatchObject(expected);
    await expect(Array.fromAsync(storage.list("s3://bucket/key"))).rejects.toMatchObject(expected);
  });

  it.each([
    ["no region", { AWS_REGION: undefined, AWS_ENDPOINT_URL_S3: undefined }, "Region is missing"],
    ["an endpoint without http://", { AWS_ENDPOINT_URL_S3: "localhost:9000" }, "localhost://9000"],
    ["an endpoint that is no URL", { AWS_ENDPOINT_URL_S3: "endpoint" }, "Invalid URL"],
  ])("names the variables when there is %s", async (_, env, detail) => {
    for (const [name, value] of Object.entries({ ...NOWHERE, AWS_CONFIG_FILE: "/none", ...env }))
      vi.stubEnv(name, value);
    await expect(s3Storage(s3Client()).head("s3://bucket/key")).rejects.toMatchObject({
      code: "storage-unavailable",
      retryable: false,
      message: expect.stringMatching(`AWS_REGION and AWS_ENDPOINT_URL_S3.*${detail}`),
    });
  });
});

const server = await startS3();

if (server) {
  afterAll(() => server.stop());
  Object.assign(process.env, server.env);
  const { bucket } = server;
  let folders = 0;
  const storage = openStorage({ fileRoots: [] });

  storageContract(
    "s3",
    () => storage,
    async () => `s3://${bucket}/folder-${++folders}`,
  );

  describe("s3", () => {
    it("says that a bucket is not there", async () => {
      const expected = { code: "object-not-found", retryable: false };
      await expect(storage.head(`s3://${bucket}-2/a`)).rejects.toMatchObject(expected);
      await expect(storage.read(`s3://${bucket}-2/a`)).rejects.toMatchObject(expected);
      await expect(storage.write(`s3://${bucket}-2/a`, randomBytes(10))).rejects.toMatchObject(expected);
      await expect(Array.fromAsync(storage.list(`s3://${bucket}-2/a`))).rejects.toMatchObject(expected);
    });

    it("says that credentials are refused", async () => {
      const stranger = s3Storage(clientOf({ ...server.env, AWS_ACCESS_KEY_ID: "stranger" }));
      const expected = { code: "forbidden-url", retryable: false };
      const url = `s3://${bucket}/a`;
      const message = expect.stringMatching(/may not be used with these credentials \(HTTP 403\)$/);
      await expect(stranger.head(url)).rejects.toMatchObject({ ...expected, message });
      await expect(stranger.read(url)).rejects.toMatchObject(expected);
      await expect(stranger.write(url, randomBytes(10))).rejects.toMatchObject(expected);
      await expect(Array.fromAsync(stranger.list(url))).rejects.toMatchObject(expected);
      await expect(stranger.remove(url)).rejects.toMatchObject(expected);
    });

    it("lists more objects than one page holds", async () => {
      const root = `s3://${bucket}/pages`;
      const names = Array.from({ length: 1005 }, (_, i) => `${root}/${String(i).padStart(4, "0")}`);
      for (let i = 0; i < names.length; i += 50)
        await Promise.all(names.slice(i, i + 50).map((url) => storage.write(url, new Uint8Array([1]))));
      expect((await Array.fromAsync(storage.list(root))).map(({ url }) => url)).toEqual(names);
    });
  });

  describe("s3 over a connection that breaks", () => {
    const bytes = randomBytes(5 * 2 ** 20);
    const url = `s3://${bucket}/broken`;

    it("takes a read up where it broke off", async () => {
      await storage.write(url, bytes);
      const line = await breakingLine(server.endpoint, [2 ** 20, 2 ** 20]);
      const client = clientOf({ ...server.env, AWS_ENDPOINT_URL_S3: line.endpoint });
      const { bytes: read } = await download(s3Storage(client), url);
      expect(Buffer.compare(read, bytes)).toBe(0);
      expect(line.broken()).toBe(2);
      await line.close();
    });

    it("gives up when it breaks again and again", async () => {
      await storage.write(url, bytes);
      const line = await breakingLine(server.endpoint, Array(100).fill(2 ** 18));
      const client = clientOf({ ...server.env, AWS_ENDPOINT_URL_S3: line.endpoint });
      await expect(download(s3Storage(client), url)).rejects.toMatchObject({
        code: "storage-unavailable",
        retryable: true,
      });
      await line.close();
    });

    it("does not join the halves of two objects", async () => {
      await storage.write(url, bytes);
      const line = await breakingLine(server.endpoint, [2 ** 20]);
      const client = clientOf({ ...server.env, AWS_ENDPOINT_URL_S3: line.endpoint });
      const { stream } = await s3Storage(client).read(url);
      await storage.write(url, randomBytes(5 * 2 ** 20));
      await expect(Array.fromAsync(stream)).rejects.toMatchObject({
        code: "storage-unavailable",
        message: expect.stringContaining("replaced"),
      });
      await line.close();
    });
  });
}

/** Passes bytes on to `target`; connection i is cut after the server has sent `limits[i]` bytes. */
async function breakingLine(target: string, limits: readonly number[]) {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let connections = 0;
  let broken = 0;
  const line: Server = createServer((downstream) => {
    let left = limits[connections++] ?? Number.POSITIVE_INFINITY;
    const upstream = connect(Number(port), hostname);
    for (const socket of [downstream, upstream]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => open.delete(socket));
    }
    downstream.pipe(upstream);
    upstream.on("end", () => downstream.end());
    upstream.on("data", (chunk) => {
      left -= chunk.length;
      if (left >= 0) return void downstream.write(chunk);
      broken++;
      upstream.destroy();
      downstream.destroy();
    });
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(line.address() as { port: number }).port}`,
    broken: () => broken,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => line.close(resolve));
    },
  };
}
