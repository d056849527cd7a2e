import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { CreateBucketCommand, DeleteBucketCommand, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { s3Storage } from "../../src/storage/s3.ts";

/** An S3 server for tests, with an empty bucket of its own. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  /** What a process needs in its environment to reach it. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes the bucket, and ends the server where it was started here. */
  stop(): Promise<void>;
}

/** A server of the caller's own, which may be away for a while. */
export interface OwnS3 extends S3Server {
  /** Ends the server, and returns when it has ended. */
  halt(): Promise<void>;
  /** Starts it again with what it holds, on the same ports, and returns when it answers. */
  resume(): Promise<void>;
}

/**
 * Returns a bucket on the server of TEST_S3_ENDPOINT (credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), else on
 * a SeaweedFS (`weed` on the PATH) started for the caller, or null where there is neither: a line on the console then
 * says that the suite does without, unless COLLAPSAR_TEST_REQUIRE_SERVERS=1 makes that an error.
 */
export async function startS3(): Promise<S3Server | null> {
  const { TEST_S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test" } = process.env;
  if (endpoint) return withBucket(endpoint, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }, async () => {});
  return startOwnS3();
}

/** Returns a bucket on a SeaweedFS started for the caller, else as `startS3`. */
export async function startOwnS3(): Promise<OwnS3 | null> {
  if (process.env.PATH!.split(delimiter).some((folder) => existsSync(join(folder, "weed")))) return startSeaweed();
  const absent = "no S3 server: TEST_S3_ENDPOINT is not set and PATH has no weed (SeaweedFS)";
  if (process.env.COLLAPSAR_TEST_REQUIRE_SERVERS === "1") throw new Error(absent);
  console.warn(`NOT TESTED ON A SERVER: ${absent}`);
  return null;
}

async function startSeaweed(): Promise<OwnS3> {
  const folder = mkdtempSync(join(tmpdir(), "collapsar-s3-"));
  const credentials = { AWS_ACCESS_KEY_ID: "test-key", AWS_SECRET_ACCESS_KEY: "test-secret" };
  const ports = await freePorts(8);
  const options = seaweedOptions(folder, credentials, ports);
  const endpoint = `http://127.0.0.1:${ports[0]}`;
  let server: ChildProcess;
  const start = async () => {
    server = spawn("weed", ["server", ...options], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    await answers(`${endpoint}/healthz`, server);
  };
  const kill = () => server.kill("SIGKILL");
  process.once("exit", kill); // a test run that is broken off leaves nothing behind
  async function halt() {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    kill();
    await ended;
  }
  async function stop() {
    await halt();
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
    for (const name of readdirSync("/tmp"))
      if (ports.some((port) => /^seaweedfs-/.test(name) && name.endsWith(`-${port}.sock`))) rmSync(join("/tmp", name));
  }
  try {
    await start();
    return { ...(await withBucket(endpoint, credentials, stop)), halt, resume: start };
  } catch (error) {
    await stop();
    throw error;
  }
}

function seaweedOptions(
  folder: string,
  { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey }: Record<string, string>,
  ports: readonly number[],
): string[] {
  const identity = { name: "test", credentials: [{ accessKey, secretKey }], actions: ["Admin"] };
  const identities = join(folder, "identities.json");
  writeFileSync(identities, JSON.stringify({ identities: [identity] }));
  const ofServices = ["s3", "master", "volume", "filer"].flatMap((service, i) => [
    `-${service}.port=${ports[2 * i]}`,
    `-${service}.port.grpc=${ports[2 * i + 1]}`,
  ]);
  return [
    ...["-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", `-dir=${folder}`, `-s3.config=${identities}`, ...ofServices],
    ...["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false", "-master.telemetry=false"],
    ...[
      "-master.volumeSizeLimitMB=64",
      "-volume.max=0",
      "-master.electionTimeout=1s",
      "-master.heartbeatInterval=100ms",
    ],
  ];
}

async function withBucket(
  endpoint: string,
  credentials: Record<string, string>,
  stopServer: () => Promise<void>,
): Promise<S3Server> {
  const env = { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: "us-east-1", ...credentials };
  const bucket = `collapsar-${crypto.randomUUID()}`;
  const client = clientOf(env);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    endpoint,
    bucket,
    env,
    async stop() {
      await removeBucket(client, bucket);
      client.destroy();
      await stopServer();
    },
  };
}

/** Returns a client for the server of `env`. */
export function clientOf(env: Readonly<Record<string, string>>, options: S3ClientConfig = {}): S3Client {
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID!, secretAccessKey: env.AWS_SECRET_ACCESS_KEY! };
  const { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region } = env;
  return new S3Client({ endpoint: endpoint!, region: region!, forcePathStyle: true, credentials, ...options });
}

async function removeBucket(client: S3Client, bucket: string): Promise<void> {
  const storage = s3Storage(client);
  for await (const { url } of storage.list(`s3://${bucket}`)) await storage.remove(url);
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  const log: string[] = [];
  server.stderr!.on("data", (chunk) => log.push(String(chunk)));
  for (let attempt = 0; attempt < 300; attempt++) {
    if (server.exitCode !== null) break;
    const ready = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await wait(100);
  }
  throw new Error(`SeaweedFS did not start:\n${log.join("")}`);
}

/** Returns different ports, none of them in use: all are held until the last is known. */
async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(Array.from({ length: count }, listenAnywhere));
  const ports = probes.map((probe) => (probe.address() as { port: number }).port);
  await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
  return ports;
}

function listenAnywhere(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => resolve(probe));
  });
}
