import { CollapsarError } from "../../errors.ts";

/** A metric of a run after a step. */
export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

/** A param or a tag. */
export interface MlflowEntry {
  readonly key: string;
  readonly value: string;
}

/** A run, as MLflow answers it. */
export interface MlflowRun {
  readonly info: { readonly run_id: string };
  readonly data: { readonly params?: readonly MlflowEntry[]; readonly tags?: readonly MlflowEntry[] };
}

/** MLflow's REST API, version 2.0. @throws CollapsarError as `mlflowServer`. */
export interface MlflowServer {
  get<T>(path: string, query: Readonly<Record<string, string>>): Promise<T>;
  post<T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T>;
}

/**
 * Returns the API of the MLflow server with this base URL. Whoever needs to log in is known to MLflow's own variables
 * MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. Its calls throw `storage-unavailable`
 * where nothing or no MLflow answers, `unauthorized`, `not-found`, else `invalid-request` with what MLflow says.
 * @throws CollapsarError `unsupported-url`.
 */
export function mlflowServer(url: string, env: NodeJS.ProcessEnv = process.env): MlflowServer {
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
    throw new CollapsarError(
      "unsupported-url",
      `"${url}" is no address of an MLflow server: expected http://host:port`,
    );
  const base = `${url.replace(/\/+$/, "")}/api/2.0/mlflow`;
  const headers = { "content-type": "application/json", ...authorization(env) };
  return {
    get: (path, query) => answerOf(`${base}/${path}?${new URLSearchParams(query)}`, { headers }),
    post: (path, body) => answerOf(`${base}/${path}`, { method: "POST", headers, body: JSON.stringify(body) }),
  };
}

function authorization(env: NodeJS.ProcessEnv): { authorization?: string } {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } = env;
  if (token) return { authorization: `Bearer ${token}` };
  if (!user) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}` };
}

async function answerOf<T>(url: string, init: RequestInit): Promise<T> {
  const server = `the MLflow server at ${new URL(url).origin}`;
  const response = await fetch(url, init).catch((cause) => {
    throw new CollapsarError("storage-unavailable", `${server} does not answer`, { cause });
  });
  const text = await response.text();
  const body = parsed(text);
  if (response.ok && body !== null) return body as T;
  if (response.status === 401 || response.status === 403)
    throw new CollapsarError("unauthorized", `${server} wants MLFLOW_TRACKING_TOKEN, or a user and password`);
  const { error_code: code, message } = (body ?? {}) as { error_code?: string; message?: string };
  if (code === undefined)
    throw new CollapsarError("storage-unavailable", `${server} answers ${response.status}, not as MLflow does`);
  const kind = code === "RESOURCE_DOES_NOT_EXIST" ? "not-found" : "invalid-request";
  throw new CollapsarError(kind, `${server} answers ${code}: ${message ?? ""}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
