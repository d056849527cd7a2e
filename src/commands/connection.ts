import { setTimeout as sleep } from "node:timers/promises";
import type { EvaluationResource } from "../api/contract.ts";
import type { Problem } from "../api/problem.ts";
import type { Config } from "../config.ts";
import { readHolder } from "../database/lock.ts";
import { CollapsarError, type ErrorCode } from "../errors.ts";
import type { Progress } from "../evaluation/evaluate.ts";
import type { EvaluationRequest } from "../evaluation/request.ts";

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
      `the embedded database in ${config.home} is in use by "${command}" (pid ${pid}), which is no service: try again when it has ended`,
    );
  return serviceAt(address);
}

/** Returns the API of the service with this base URL. */
export function serviceAt(address: string): Connection {
  return {
    request: async (path, init) => bodyOf(await reach(`${address}${path}`, init)),
    close: async () => {},
  };
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
  const app = createApp({ database, submit });
  return {
    request: async (path, init) => bodyOf(await app.request(path, init)),
    close: () => database.close(),
  };
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
  throw new CollapsarError((code as ErrorCode) ?? "internal", detail ?? `the service answered ${response.status}`);
}

/** Runs `work` with a connection, and closes it whatever happens. */
export async function withConnection<T>(
  config: Config,
  command: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(config, command);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
