import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import postgres from "postgres";

/** A PostgreSQL server for tests. */
export interface PostgresServer {
  /** Of a role that may create databases. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Returns the server of TEST_DATABASE_URL, else one started for the caller from the machine's own binaries, or null
 * where there are none: a line on the console then says that the suite does without, unless
 * COLLAPSAR_TEST_REQUIRE_SERVERS=1 makes that an error. What a `durable` one has committed survives a loss of power.
 */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer | null> {
  const url = process.env.TEST_DATABASE_URL;
  return url ? { url, stop: async () => {} } : startOwnPostgres({ durable });
}

/** A server of the caller's own, which may be away for a while. */
export interface OwnPostgres extends PostgresServer {
  /** Ends the server, `fast` (clients are sent away) or as a crash would (`immediate`), and returns when it has ended. */
  halt(mode: "fast" | "immediate"): Promise<void>;
  /** Starts it again, on the same data and port, and returns when it answers. */
  resume(): Promise<void>;
}

/** Returns a server started for the caller, else as `startPostgres`. */
export async function startOwnPostgres({ durable = false } = {}): Promise<OwnPostgres | null> {
  const binaries = postgresBinaries();
  if (binaries) return startCluster(binaries, durable);
  const absent = "no PostgreSQL: TEST_DATABASE_URL is not set and neither PATH nor /usr/lib/postgresql has initdb";
  if (process.env.COLLAPSAR_TEST_REQUIRE_SERVERS === "1") throw new Error(absent);
  console.warn(`NOT TESTED ON A SERVER: ${absent}`);
  return null;
}

/** Makes an empty database on the server and returns its URL. */
export async function freshDatabase(server: PostgresServer): Promise<string> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await onServer(server.url, `create database ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

/** Removes a database that `freshDatabase` made. */
export async function dropDatabase(server: PostgresServer, url: string): Promise<void> {
  await onServer(server.url, `drop database if exists ${new URL(url).pathname.slice(1)} with (force)`);
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = postgres(url, { max: 1, onnotice() {} });
  try {
    await client.unsafe(statement);
  } finally {
    await client.end();
  }
}

/** Returns the folder of the newest PostgreSQL's programs on this machine, or null. */
export function postgresBinaries(): string | null {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...process.env.PATH!.split(delimiter)];
  return folders.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name)))) ?? null;
}

/** Starts a cluster of its own in a temporary folder; PostgreSQL refuses root, so root starts it as another user. */
async function startCluster(binaries: string, durable: boolean): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "collapsar-postgres-"));
  const user = process.getuid?.() === 0 ? unprivilegedUser() : {};
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid!);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, stdio: "pipe" } as const;
  execFileSync(join(binaries, "initdb"), ["-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"], options);
  const port = await freePort();
  const settings = [
    `port=${port}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    `fsync=${durable ? "on" : "off"}`,
  ];
  const url = `postgres://test@127.0.0.1:${port}/postgres`;
  const start = async () => {
    const started = spawn(
      join(binaries, "postgres"),
      ["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
      options,
    );
    const log: string[] = [];
    started.stderr.on("data", (chunk) => log.push(String(chunk)));
    await answers(url, started, log);
    return started;
  };
  let server = await start();
  const kill = () => server.kill("SIGQUIT"); // a run that is broken off leaves nothing behind
  process.once("exit", kill);
  const halt = async (mode: "fast" | "immediate") => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    await ended;
  };
  return {
    url,
    halt,
    async resume() {
      server = await start();
    },
    async stop() {
      await halt("fast"); // does not wait for clients
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function unprivilegedUser(): { uid?: number; gid?: number } {
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, name], { stdio: "pipe" })));
      return { uid: uid!, gid: gid! };
    } catch {
      // no such user: the next
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}

async function answers(url: string, server: ChildProcess, log: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (server.exitCode !== null) break;
    const ready = await onServer(url, "select 1").then(
      () => true,
      () => false,
    );
    if (ready) return;
    await wait(100);
  }
  throw new Error(`PostgreSQL did not start:\n${log.join("")}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
