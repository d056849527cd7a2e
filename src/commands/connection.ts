import { setTimeout as sleep } from "node:timers/promises";
import type { EvaluationResource } from "../api/contract.ts";
import type { Problem } from "../api/problem.ts";
import type { RunningService } from "../api/serve.ts";
import { type Config, readConfig } from "../config.ts";
import type { Database } from "../database/database.ts";
import { readHolder } from "../database/lock.ts";
import { CollapsarError, type ErrorCode } from "../errors.ts";
import type { Progress } from "../evaluation/evaluate.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";
import type { Queue } from "../jobs/queue.ts";
import { logFailure } from "../logging.ts";
import { openStorage } from "../storage/open.ts";

const POLL_MILLISECONDS = 200;

/** The API, of a service that has the embedded database or of an app in this process. */
export interface Connection {
  /** Returns the body of a successful answer. @throws CollapsarError what the problem of any other says. */
  request<T>(path: string, init?: RequestInit): Promise<T>;
  close(): Promise<void>;
}

/** Returns the answer to `POST /evaluate`, which may wait up to `waitSeconds` for the end. */
export function submit({ request }: Connection, body: EvaluationRequest, waitSeconds = 0): Promise<EvaluationResource> {
  const headers = { "content-type": "application/json", ...(waitSeconds > 0 && { prefer: `wait=${waitSeconds}` }) };
  return request("/evaluate", { method: "POST", headers, body: JSON.stringify(body) });
}

/** Returns the evaluation once it has ended, asked for again and again; `onProgress` hears how far it is. */
export async function untilEnded(
  { request }: Connection,
  evaluation: EvaluationResource,
  onProgress?: (progress: Progress) => void,
): Promise<EvaluationResource> {
  let latest = evaluation;
  while (latest.status === "queued" || latest.status === "running") {
    await sleep(POLL_MILLISECONDS);
    latest = await request<EvaluationResource>(`/evaluations/${latest.id}`);
    if (latest.progress) onProgress?.(latest.progress as Progress);
  }
  return latest;
}

/**
 * Returns the running service that holds the embedded database of `config`, or null where none does.
 * @throws CollapsarError `database-locked` where a process holds it that is no service.
 */
export function connectToHolder(config: Config): Connection | null {
  const holder = config.databaseUrl ? null : readHolder(config.home);
  if (!holder) return null;
  const { address, pid, command } = holder;
  if (address === null)
    throw new CollapsarError(
      "database-locked",
      `the embedded database in ${config.home} is in use by "${command}" (pid ${pid}), which does not serve it: try again when it does or has ended`,
    );
  return serviceAt(address, config.token);
}

/** Returns the API of the service with this base URL, to which `token` is shown. */
export function serviceAt(address: string, token: string | null = null): Connection {
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  return connectionTo((path, init) =>
    reach(`${address}${path}`, { ...init, headers: { ...init?.headers, ...authorization } }),
  );
}

/** Returns the API that answers through `answer`. */
export function connectionTo(answer: RunningService["request"], close = async () => {}): Connection {
  return { request: async (path, init) => bodyOf(await answer(path, init)), close };
}

/**
 * Returns the API over the database of `config`: that of the service that holds it, or one in this process.
 * @throws CollapsarError `database-locked`, `database-unavailable`.
 */
export async function connect(config: Config, command: string): Promise<Connection> {
  const held = connectToHolder(config);
  if (held) return held;
  const [{ openDatabase }, { createApp }] = await Promise.all([import("../database/open.ts"), import("../api/app.ts")]);
  const database = await openDatabase(config, command);
  const submit = () => Promise.reject(new CollapsarError("internal", "this process takes no submissions"));
  const { queue, close } = openedLater(database);
  const app = createApp({ database, submit, queue, storage: openStorage({ fileRoots: null }) });
  return connectionTo(
    (path, init) => app.request(path, init),
    async () => {
      await close();
      await database.close();
    },
  );
}

/** A queue takes 0.3 s to open, and most commands need none. */
function openedLater(database: Database): { queue: Pick<Queue, "cancel" | "retry">; close: () => Promise<void> } {
  let opening: Promise<Queue> | undefined;
  const opened = () => {
    opening ??= import("../jobs/queue.ts").then(({ openQueue }) => openQueue(database, logFailure, { listens: false }));
    return opening;
  };
  const queue: Pick<Queue, "cancel" | "retry"> = {
    cancel: async (id) => (await opened()).cancel(id),
    retry: async (id) => (await opened()).retry(id),
  };
  return { queue, close: async () => (await opening)?.stop({ graceful: false }) };
}

async function reach(url: string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new CollapsarError("database-unavailable", `the service at ${new URL(url).origin} does not answer`, {
      cause,
    });
  }
}

async function bodyOf<T>(response: Response): Promise<T> {
  const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
  if (response.ok) return (isJson ? response.json() : response.text()) as Promise<T>;
  const { code, detail } = (isJson ? await response.json() : {}) as Partial<Problem>;
  const unknown = `${response.url} answered ${response.status} and is no Collapsar service`;
  throw new CollapsarError((code as ErrorCode) ?? "internal", detail ?? unknown);
}

/** Runs `work` with a connection as the environment says, and closes it whatever happens. */
export async function withConnection<T>(command: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(readConfig(), command);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
