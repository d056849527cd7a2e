import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freshDatabase, type OwnPostgres } from "../servers/postgres.ts";
import type { S3Server } from "../servers/s3.ts";
import { type Ending, keepRunning, type Member } from "./processes.ts";
import type { SmallDisk } from "./smallDisk.ts";

const SERVICES = 2;
const WORKERS = 2;
/** A worker that is told to stop has 15 s for its evaluation to end and 10 s for it to heed its signal. */
const GRACE_SECONDS = 27;
const UNCACHED = { COLLAPSAR_CACHE_BYTES: "0" };

/** All processes on one database. */
export interface Members {
  /** Of the database, which is new. */
  readonly url: string;
  /** `collapsar serve --no-worker`. */
  readonly services: readonly Member[];
  /** `collapsar worker`. */
  readonly workers: readonly Member[];
  /** One more worker, whose temporary files are on a small disk. */
  readonly cramped: Member | null;
  stop(): Promise<void>;
}

/** Starts services and workers on a new database called `name`, and returns when they are ready. */
export async function startMembers(
  { postgres, s3, folder }: { readonly postgres: OwnPostgres; readonly s3: S3Server; readonly folder: string },
  name: string,
  hear: (line: string) => void,
  disk?: SmallDisk,
): Promise<Members> {
  const url = await freshDatabase(postgres);
  const cwd = join(folder, name);
  mkdirSync(cwd);
  const store = `s3://${s3.bucket}/${name}`;
  const env = {
    ...process.env,
    ...s3.env,
    DATABASE_URL: url,
    COLLAPSAR_STORE: store,
    COLLAPSAR_HOME: join(cwd, "home"),
  };
  const run = (name: string, args: string[], more: { env?: NodeJS.ProcessEnv; shell?: () => string } = {}) =>
    keepRunning({ name, args, cwd, ...more, env: { ...env, ...more.env } }, (who, line) => hear(`${who}: ${line}`));
  const services = Array.from({ length: SERVICES }, (_, i) =>
    run(`service ${i + 1}`, ["serve", "--no-worker", "--port", "0"]),
  );
  // one that takes what it can from its cache, and one at which the network runs each time
  const workers = Array.from({ length: WORKERS }, (_, i) =>
    run(`worker ${i + 1}`, ["worker"], disk && i % 2 === 1 ? { env: UNCACHED } : {}),
  );
  const cramped = disk
    ? run("cramped worker", ["worker"], { env: { ...UNCACHED, TMPDIR: disk.folder }, shell: disk.shell })
    : null;
  const all = [...services, ...workers, ...(cramped ? [cramped] : [])];
  const stop = async () => void (await Promise.all(all.map((member) => member.stop())));
  try {
    await Promise.all(all.map((member) => member.ready()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, services, workers, cramped, stop };
}

/** Returns, a line each, which processes did not behave: ended by themselves once they were ready, or not in time when told to. */
export function memberProblems({ services, workers, cramped }: Members): string[] {
  const all = [...services, ...workers, ...(cramped ? [cramped] : [])];
  return all.flatMap(({ name, endings }) =>
    endings.flatMap((ending) => {
      const { asked, ready, code, signal, seconds } = ending;
      const how = signal ?? `code ${code}`;
      if (asked === null && ready) return [`${name} ended by itself (${how})`];
      if (asked === "SIGTERM" && ready && code !== 0) return [`${name} ended with ${how} when it was told to stop`];
      if (asked === "SIGTERM" && seconds > GRACE_SECONDS) return [`${name} took ${seconds.toFixed(0)} s to stop`];
      return [];
    }),
  );
}

/** Returns what the processes were like: memory, ends, failures they logged. */
export function describeMembers({ services, workers, cramped }: Members) {
  const all = [...workers, ...(cramped ? [cramped] : [])];
  const endings = all.flatMap((member) => member.endings);
  const told = endings.filter(({ asked, ready }) => asked === "SIGTERM" && ready);
  return {
    peakMiB: { service: peakOf(services, "own"), worker: peakOf(all, "own"), evaluating: peakOf(all, "child") },
    workers: {
      killed: count(endings, ({ asked }) => asked === "SIGKILL"),
      toldToStop: told.length,
      longestStopSeconds: Math.max(0, ...told.map(({ seconds }) => seconds)),
      /** Started while the database was away, and ended. */
      neverReady: count(endings, ({ asked, ready }) => asked === null && !ready),
    },
    failures: {
      services: failuresOf(services),
      workers: failuresOf(workers),
      cramped: failuresOf(cramped ? [cramped] : []),
    },
  };
}

function count(endings: readonly Ending[], which: (ending: Ending) => boolean): number {
  return endings.filter(which).length;
}

function peakOf(members: readonly Member[], of: "own" | "child"): number {
  return Math.round(Math.max(...members.map(({ peakMiB }) => peakMiB[of])));
}

function failuresOf(members: readonly Member[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { failures } of members)
    for (const [code, times] of Object.entries(failures)) sum[code] = (sum[code] ?? 0) + times;
  return sum;
}
